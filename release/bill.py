"""The bill of materials, in CycloneDX 1.6: what is in a release, and what made it.

https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

#: Of the build, by their names in the lock file: nothing of them is in a file of a release.
TOOLS = ("setuptools", "ziglang", "zopfli")
_NAMESPACE = uuid.UUID("7d7f1f0e-4cb8-5e0a-9f0b-1f4f5a5b6c7d")
_LICENSE = [{"license": {"id": "Apache-2.0"}}]
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def locked(text: str) -> dict[str, str]:
    """The versions in a lock file."""
    return {name.lower(): version for name, version in _LOCKED.findall(text)}


def bill(
    version: str,
    commit: str,
    time: int,
    sums: Mapping[str, str],
    requirements: Iterable[str],
    versions: Mapping[str, str],
) -> bytes:
    """The document.

    Args:
        version: of the release.
        commit, time: that it was made of.
        sums: SHA-256 by file.
        requirements: of fshield, as pyproject.toml has them.
        versions: of the lock file: what the release was tested with.
    """
    root = f"pkg:generic/function-shield@{version}"
    files = [_file(name, digest) for name, digest in sorted(sums.items())]
    needed = [_package(text, versions, "required") for text in requirements]
    tools = [_package(name, versions, "excluded") for name in TOOLS]
    wheels = [each["bom-ref"] for each in files if each["name"].endswith(".whl")]
    depends = [
        {"ref": root, "dependsOn": [each["bom-ref"] for each in files]},
        *({"ref": ref, "dependsOn": [each["bom-ref"] for each in needed]} for ref in wheels),
    ]
    serial = uuid.uuid5(_NAMESPACE, json.dumps([commit, sorted(sums.items())]))
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": "function-shield",
                "version": version,
                "licenses": _LICENSE,
                "properties": [{"name": "function-shield:commit", "value": commit}],
            },
        },
        "components": [*files, *needed, *tools],
        "dependencies": depends,
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def _file(name: str, digest: str) -> dict[str, Any]:
    return {
        "type": "file",
        "bom-ref": name,
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "licenses": _LICENSE,
    }


def _package(requirement: str, versions: Mapping[str, str], scope: str) -> dict[str, Any]:
    name = re.split(r"[^A-Za-z0-9._-]", requirement)[0]
    version = versions[name.lower()]
    purl = f"pkg:pypi/{name.lower()}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "scope": scope,
        "purl": purl,
        "description": f"{requirement}, tested with {version}",
    }
