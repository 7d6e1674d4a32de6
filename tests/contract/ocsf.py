"""Checks an event against OCSF's own schema, or the part of it that the engine's findings use.

`ocsf-1.5.0.json` is an excerpt of the published schema: each attribute's requirement, type, and ids
with their captions, and each object's constraints. Nothing in it was written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = json.loads((Path(__file__).parent / "ocsf-1.5.0.json").read_text())
_TYPES: dict[str, tuple[type, ...]] = {
    "string_t": (str,),
    "integer_t": (int,),
    "long_t": (int,),
    "boolean_t": (bool,),
    "json_t": (dict, list, str),
    "object": (dict,),
}


def problems(event: dict[str, Any], *, ours: set[str]) -> list[str]:
    """How `event` differs from a Detection Finding of OCSF 1.5.0 with the security control profile.

    Args:
        event: the event as the engine wrote it.
        ours: top-level keys that are not OCSF's.
    """
    found = {key: value for key, value in event.items() if key not in ours}
    return list(_check(found, SCHEMA["class"]["attributes"], {}, "event"))


def _check(
    value: dict[str, Any], attributes: dict[str, Any], constraints: dict[str, Any], at: str
) -> Iterator[str]:
    for key, attribute in attributes.items():
        if attribute["requirement"] == "required" and key not in value:
            yield f"{at}: no {key}"
    for names in [names for kind, names in constraints.items() if kind == "at_least_one"]:
        if not set(names) & set(value):
            yield f"{at}: none of {', '.join(names)}"
    for key, one in value.items():
        attribute = attributes.get(key)
        if attribute is None:
            yield f"{at}: {key} is not an attribute"
            continue
        if bool(attribute.get("array")) != isinstance(one, list):
            yield f"{at}.{key}: a list, or none, where the schema wants the other"
            continue
        for item in one if isinstance(one, list) else [one]:
            yield from _check_one(item, attribute, f"{at}.{key}")
        if "enum" in attribute:
            caption = attribute["enum"].get(str(one))
            if caption is None or value.get(attribute["sibling"], caption) != caption:
                yield (
                    f"{at}.{key}: {one} is {caption}, and {attribute['sibling']} says"
                    f" {value[attribute['sibling']]}"
                )


def _check_one(item: object, attribute: dict[str, Any], at: str) -> Iterator[str]:
    kind = attribute["type"]
    nested = SCHEMA["objects"].get(kind)
    if nested and isinstance(item, dict):
        yield from _check(item, nested["attributes"], nested["constraints"], at)
    elif nested or kind not in _TYPES:
        yield f"{at}: {item!r} is no {kind} that is known here"
    elif not isinstance(item, _TYPES[kind]) or (isinstance(item, bool) and kind != "boolean_t"):
        yield f"{at}: {item!r} is no {kind}"
