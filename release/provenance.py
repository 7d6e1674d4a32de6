"""How a release was made, as an in-toto statement with SLSA's predicate.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md,
https://slsa.dev/spec/v1.0/provenance
"""

from __future__ import annotations

import json
from collections.abc import Mapping

BUILD_TYPE = "urn:function-shield:make-release:v1"
BUILDER = "urn:function-shield:maintainer"


def statement(
    version: str,
    commit: str,
    sums: Mapping[str, str],
    lock: tuple[str, str],
    tools: Mapping[str, str],
) -> bytes:
    """The statement, one line of JSON: who can build the commit can make the same bytes.

    Args:
        version, commit: of the release.
        sums: SHA-256 by file.
        lock: the lock file's name and SHA-256; it holds the tools' own.
        tools: versions of what built it.
    """
    name, digest = lock
    subjects = [{"name": each, "digest": {"sha256": sums[each]}} for each in sorted(sums)]
    resolved = [
        {"uri": "git+.", "name": "source", "digest": {"gitCommit": commit}},
        {"name": name, "digest": {"sha256": digest}},
        *({"uri": f"pkg:pypi/{tool}@{tools[tool]}", "name": tool} for tool in sorted(tools)),
    ]
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"command": "make release", "version": version},
                "resolvedDependencies": resolved,
            },
            "runDetails": {"builder": {"id": BUILDER}},
        },
    }
    return (json.dumps(document, separators=(",", ":")) + "\n").encode()
