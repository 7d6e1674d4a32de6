"""The OCSF form of an event, read back into the native one.

The engine writes it (``layer/native/ocsf.c``) where the policy says ``events: {format: ocsf}``: a Detection Finding
(class 2004), with what OCSF has no place for in ``unmapped``, under the native names.
"""

from __future__ import annotations

from typing import Any

DETECTION_FINDING = 2004
#: What stands at the same place in both forms.
_SAME = ("timestamp", "level", "message", "_aws")


def native(event: dict[str, Any]) -> dict[str, Any]:
    """The native event in a Detection Finding of the engine's; `event` itself where it is none."""
    inside = event.get("unmapped")
    if event.get("class_uid") != DETECTION_FINDING or not isinstance(inside, dict):
        return event
    return {"function_shield": True, **inside, **{key: event[key] for key in _SAME if key in event}}
