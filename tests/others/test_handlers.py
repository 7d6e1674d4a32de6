"""Tools that replace the handler. The function's own handler is still sealed, and under ``default``
everything else works as without the guard.

New Relic's, Lumigo's and AWS's packages are the real ones from PyPI (``fetch.sh``). ``wrappers/``
has the parts that only their layers contain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fshield.local.emulator import Function, Invocation
from tests.others.collector import Collector
from tests.others.test_others import (
    FUNCTION,
    HELD,
    OUTSIDE,
    PASSED,
    PYTHON,
    RULES,
    layers,
)
from tests.support import Event


@dataclass
class Tool:
    """How a tool wraps a function."""

    lock: str
    handler: str = "app.handler"
    wrapper: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    #: Part of a line that the tool writes to the log, if any.
    log_text: str | None = None
    #: The hosts that the tool sends to from inside the function. Each makes an event, and needs a
    #: `host:` entry.
    asks: Sequence[str] = ()
    #: The tool sends a segment of each invocation to X-Ray's daemon.
    traces: bool = False


TOOLS = {
    "newrelic": Tool(
        "handlers",
        handler="newrelic_lambda_wrapper.handler",
        variables={
            "NEW_RELIC_LAMBDA_HANDLER": "app.handler",
            "NEW_RELIC_SERVERLESS_MODE_ENABLED": "true",
            "NEW_RELIC_NO_CONFIG_FILE": "true",
            "NEW_RELIC_ACCOUNT_ID": "1",
            "NEW_RELIC_TRUSTED_ACCOUNT_KEY": "1",
        },
        log_text='"NR_LAMBDA_MONITORING"',
    ),
    "lumigo": Tool(
        "handlers",
        wrapper="lumigo_wrapper",
        variables={
            "LUMIGO_TRACER_TOKEN": "t_123456789012345678901",
            "LUMIGO_TRACER_HOST": OUTSIDE,
        },
        asks=(OUTSIDE,),
    ),
    # Application Signals: the layer's script sets these, and then works like OpenTelemetry's.
    "signals": Tool(
        "signals",
        wrapper="otel-instrument",
        variables={
            "OTEL_PYTHON_DISTRO": "aws_distro",
            "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
            "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "true",
            "OTEL_AWS_APPLICATION_SIGNALS_RUNTIME_ENABLED": "false",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "aws-lambda",
        },
        traces=True,
    ),
}


def invoke(tool: Tool, opt: Path) -> tuple[list[Invocation], Collector, Collector]:
    with Collector() as collector, Collector(OUTSIDE) as outside:
        variables = {
            "PATH": f"{PYTHON.parent}:/usr/local/bin:/usr/bin:/bin",
            "OUTSIDE_PORT": str(outside.port),
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{collector.daemon.getsockname()[1]}",
            **tool.variables,
        }
        if tool.wrapper:
            variables["FUNCTION_SHIELD_NEXT_WRAPPER"] = str(opt / tool.wrapper)
        with Function(
            FUNCTION, tool.handler, python=PYTHON, layer=opt, policy="default", env=variables
        ) as function:
            events = ({"order": 1}, {"order": 2, "attack": True})
            return [function.invoke(event) for event in events], collector, outside


def answers(invocations: Sequence[Invocation]) -> list[Any]:
    """The function's answer, with a fixed name for the folder that plays /opt."""
    assert all(one.error is None for one in invocations), invocations
    kept = ("order", "imported", "handler", "tracers", "attempts")
    return [{key: one.response[key] for key in kept} for one in invocations]


def not_of_the_attack(event: Event) -> bool:
    """Violations other than those of the function's own attack. Here the packages lie in a writable
    folder, so native_code reports their compiled modules. On Lambda, /opt is read-only."""
    origin = event.get("origin") or {}
    own = origin.get("file") == str(FUNCTION / "app.py")
    loads = event.get("policy") == "native_code" and event["details"]["operation"] == "load"
    return event["event"] == "violation" and not own and not loads


@pytest.mark.parametrize("name", TOOLS)
def test_the_functions_own_handler(name: str) -> None:
    tool = TOOLS[name]
    with layers(tool.lock) as opts:
        bare, received, stolen = invoke(tool, opts[False])
        assert stolen.paths() == {"/stolen"}
        plain = answers(bare)
        assert plain[1].pop("attempts") == PASSED, "if this fails, the test proves nothing"
        done, collector, outside = invoke(tool, opts[True])
    guarded = answers(done)
    assert guarded[1].pop("attempts") == HELD
    assert guarded == plain
    assert not outside.received
    assert len(collector.segments) == len(received.segments)
    assert bool(collector.segments) == tool.traces
    if tool.log_text:
        assert any(tool.log_text in line for one in done for line in one.output), done
    events = [event for one in done for event in one.events]
    blocked = [
        event for event in events if event.get("mode") == "block" and not not_of_the_attack(event)
    ]
    assert {event["policy"] for event in blocked} == RULES
    others = [event for event in events if not_of_the_attack(event)]
    assert {event["details"].get("ip") for event in others} == set(tool.asks), others


METADATA = """
from aws_lambda_powertools.utilities.metadata import clear_metadata_cache, get_lambda_metadata
def handler(event, context):
    clear_metadata_cache()
    return get_lambda_metadata().availability_zone_id
"""


@pytest.mark.parametrize("policy", ["default", "strict"])
def test_powertools_asks_for_metadata(policy: str, tmp_path: Path) -> None:
    """Powertools asks in each invocation, and that makes no event."""
    (tmp_path / "app.py").write_text(METADATA)
    with (
        layers("others") as opts,
        Function(
            tmp_path,
            "app.handler",
            python=PYTHON,
            layer=opts[True],
            policy=policy,
            metadata=True,
        ) as function,
    ):
        done = [function.invoke({}) for _ in range(2)]
    assert [one.response for one in done] == ["use1-az1", "use1-az1"], done
    assert [event["event"] for one in done for event in one.events] == ["armed"]
