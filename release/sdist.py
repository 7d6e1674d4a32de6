"""The source distribution: what git has of a commit, as one tar, the same bytes everywhere.

The format: https://packaging.python.org/en/latest/specifications/source-distribution-format/
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

import zopfli.gzip

# zopfli tries this often; its default takes a minute, for a hundredth of the size.
_ROUNDS = 3


def sdist(name: str, files: Mapping[str, tuple[bytes, int]], metadata: bytes, time: int) -> bytes:
    """The archive.

    Args:
        name: of the folder in it: ``fshield-0.1.0``.
        files: of the commit, each with its mode.
        metadata: of the wheel of the same commit: PKG-INFO.
        time: of the commit, in seconds.
    """
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, (content, mode) in sorted({**files, "PKG-INFO": (metadata, 0o644)}.items()):
            info = tarfile.TarInfo(f"{name}/{path}")
            info.size, info.mode, info.mtime = len(content), mode, time
            archive.addfile(info, io.BytesIO(content))
    return bytes(zopfli.gzip.compress(plain.getvalue(), numiterations=_ROUNDS))
