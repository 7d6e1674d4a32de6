"""Converts events from OCSF back to the native form.

The engine writes it (``layer/core/events/ocsf.c``) where the policy says ``events: {format:
ocsf}``: a Detection Finding (class 2004), with everything that OCSF has no field for in
``unmapped``, under its native name.
"""

from __future__ import annotations

from typing import Any

DETECTION_FINDING = 2004
#: Keys that are at the same place in both forms.
_SAME = ("timestamp", "level", "message", "_aws", "function", "function_arn")


def native(event: dict[str, Any]) -> dict[str, Any]:
    """The native event in the engine's Detection Finding; any other `event` unchanged."""
    inside = event.get("unmapped")
    if event.get("class_uid") != DETECTION_FINDING or not isinstance(inside, dict):
        return event
    event = {**event, "function": _resource(event, "name"), "function_arn": _resource(event, "uid")}
    return {
        "function_shield": True,
        **inside,
        **{key: event[key] for key in _SAME if event.get(key) is not None},
    }


def _resource(event: dict[str, Any], key: str) -> object:
    resources = event.get("resources")
    first = resources[0] if isinstance(resources, list) and resources else None
    return first.get(key) if isinstance(first, dict) else None
