"""The JSON Schema of the policy language, for editors: generated from the model, so that they
cannot differ.
"""

from __future__ import annotations

import json
from typing import Any

from fshield.language import endpoints
from fshield.language.model import PolicyFile
from fshield.language.part import MODES

_RULES_WITH_SHORT_FORM = (
    "OutboundRule",
    "TmpRule",
    "ProcessRule",
    "ReadHandlerRule",
    "NativeRule",
    "RuntimeApiRule",
)
_ENTRIES_WITH_SHORT_FORM = ("TmpEntry", "ProgramEntry", "LibraryEntry")


def schema() -> dict[str, Any]:
    """The schema. Adds the short forms, which the model expands before validation."""
    made = PolicyFile.model_json_schema()
    definitions = made["$defs"]
    for name in _RULES_WITH_SHORT_FORM:
        definitions[name] = {"anyOf": [{"type": "string", "enum": list(MODES)}, definitions[name]]}
    for name in _ENTRIES_WITH_SHORT_FORM:
        definitions[name] = {"anyOf": [{"type": "string"}, definitions[name]]}
    _clean(made)
    _list_names(
        made, {"service": list(endpoints.services()), "region": sorted(endpoints.regions())}
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "FunctionShield policy",
    }


def text() -> str:
    """The content of ``policies/policy.schema.json``."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _list_names(node: Any, names: dict[str, list[str]]) -> None:
    """Insert botocore's services and regions where the model only says "service" or "region"."""
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict) and child.get("$comment") in names:
            child["enum"] = names[child.pop("$comment")]
        if isinstance(child, (dict, list)):
            _list_names(child, names)


def _clean(node: Any) -> None:
    """Remove what is Python's and not the language's: ``null`` and None for keys left out,
    generated titles.
    """
    if isinstance(node, list):
        for item in node:
            _clean(item)
    if not isinstance(node, dict):
        return
    for name in ("properties", "$defs"):
        for child in node.get(name, {}).values():
            _clean(child)
    if node.get("default", 0) in (None, []):
        del node["default"]
    node.pop("title", None)
    choices = node.get("anyOf")
    if isinstance(choices, list):
        node["anyOf"] = [choice for choice in choices if choice != {"type": "null"}]
        if len(node["anyOf"]) == 1:
            only = node.pop("anyOf")[0]
            node.update({key: value for key, value in only.items() if key not in node})
    for name, child in node.items():
        if name not in ("properties", "$defs"):
            _clean(child)
