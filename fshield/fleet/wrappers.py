"""Other tools' exec wrappers, by the path that their layers give them.

``tests/others`` runs OpenTelemetry's, Application Signals', Datadog's and Lumigo's packages behind
scripts that do what theirs do; ``tests/contract/test_next_wrapper.py`` runs Lambda Web Adapter's
script. New Relic's layer uses no wrapper: the function's configuration names its handler.
"""

from __future__ import annotations

_WEB_ADAPTER = "Lambda Web Adapter"
_KNOWN = {
    "/opt/bootstrap": _WEB_ADAPTER,
    "/opt/datadog_wrapper": "Datadog",
    "/opt/lumigo_wrapper": "Lumigo",
    "/opt/otel-handler": "OpenTelemetry",
    "/opt/otel-instrument": "OpenTelemetry or Application Signals",
    "/opt/otel-proxy-handler": "OpenTelemetry",
    "/opt/otel-stream-handler": "OpenTelemetry",
}


def known_wrapper(path: str) -> tuple[str, ...]:
    """Notes about the wrapper that ours will start."""
    tool = _KNOWN.get(path)
    if tool is None:
        return (
            f"{path} is not a wrapper that this fshield knows: it runs guarded, before the runtime",
        )
    if tool is _WEB_ADAPTER:
        return (
            f"{path} is {tool}: its program takes the runtime's place, and is guarded where the"
            " runtime's own interpreter runs it, or it lies in the function's package",
        )
    return (f"{path} is {tool}: it runs guarded, before the runtime",)
