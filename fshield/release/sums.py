"""Lists of files and their SHA-256, as sha256sum(1) writes them: ``SHA256SUMS`` of a release."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from fshield.errors import CouldNotRun

NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^/\n\r]+)\Z")
_MAX_SIZE = 1 << 20

#: Digest by name.
Sums = dict[str, str]


def digest(content: bytes) -> str:
    """The SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def of_code(code_sha256: str) -> str:
    """The same from Lambda's CodeSha256; "" for other text."""
    try:
        raw = base64.b64decode(code_sha256, validate=True)
    except ValueError:
        return ""
    return raw.hex() if len(raw) == hashlib.sha256().digest_size else ""


def text(sums: Mapping[str, str]) -> str:
    """The list, sorted by name."""
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))


def parse(content: bytes, where: str) -> Sums:
    """A list's names and digests.

    Raises:
        CouldNotRun: it is not such a list, or names a file twice.
    """
    found: Sums = {}
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        match = _LINE.match(line)
        if match is None or match[2] in found:
            raise CouldNotRun(
                f"{where}:{number}: is not a line of a list of SHA-256 sums",
                "take the file from the release again",
            )
        found[match[2]] = match[1]
    if not found:
        raise CouldNotRun(f"{where}: the list is empty", "take the file from the release again")
    return found


def read(path: Path) -> bytes:
    """A list's bytes. Raises CouldNotRun."""
    try:
        if path.stat().st_size > _MAX_SIZE:
            raise CouldNotRun(f"{path}: is too large for a list of sums", "name the release's list")
        return path.read_bytes()
    except OSError as error:
        raise CouldNotRun(
            f"{path}: {error.strerror}", f"--sums FILE names the release's {NAME}"
        ) from error
