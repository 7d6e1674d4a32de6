"""Changes of a policy as SARIF 2.1.0, which code hosts show next to the lines.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html. The part that
GitHub reads: "SARIF support for code scanning" at https://docs.github.com/en/code-security.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from fshield.engine.widening import Change
from fshield.version import VERSION

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_RULES = {
    "widens": ("PolicyWidens", "A change of a policy allows what was not allowed", "warning"),
    "narrows": ("PolicyNarrows", "A change of a policy no longer allows what was allowed", "note"),
}


def document(changes: list[Change]) -> dict[str, Any]:
    """One run with one result for each change."""
    rules = [
        {
            "id": f"policy-{kind}",
            "name": name,
            "shortDescription": {"text": text},
            "defaultConfiguration": {"level": level},
        }
        for kind, (name, text, level) in _RULES.items()
    ]
    driver = {"name": "fshield", "version": VERSION, "semanticVersion": VERSION, "rules": rules}
    results = [_result(change) for change in changes]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(change: Change) -> dict[str, Any]:
    example = f" For example: {change.example}." if change.example else ""
    whose = f" ({', '.join(change.policies)})" if change.policies else ""
    fingerprint = hashlib.sha256(
        f"{change.kind}\0{change.rule}\0{change.words}".encode()
    ).hexdigest()
    return {
        "ruleId": f"policy-{change.kind}",
        "ruleIndex": list(_RULES).index(change.kind),
        "level": _RULES[change.kind][2],
        "message": {"text": f"{change.rule}: {change.words}{whose}.{example}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(PurePath(change.file).as_posix())},
                    "region": {"startLine": change.line},
                }
            }
        ],
        "partialFingerprints": {"change/v1": fingerprint},
    }
