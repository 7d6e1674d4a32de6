"""What is in a policy layer."""

from __future__ import annotations

import hashlib
import zipfile
from io import BytesIO
from pathlib import Path

from fshield.engine.package import FOLDER

_FLOOR = "floor"


def policies_in(archive: bytes) -> frozenset[str]:
    """The names of a policy layer's policies."""
    return frozenset(_compiled(archive))


def policy_digests(archive: bytes) -> frozenset[str]:
    """SHA-256 of a policy layer's policies, as ``armed`` events have them."""
    return frozenset(hashlib.sha256(each).hexdigest() for each in _compiled(archive).values())


def _compiled(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        return {
            Path(name).stem: opened.read(name)
            for name in opened.namelist()
            if name.startswith(f"{FOLDER}/") and name.endswith(".policy")
            if Path(name).stem != _FLOOR
        }
