"""Writes a whole file or nothing, and makes folders for temporary files."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from fshield.errors import CouldNotRun


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for temporary files, which goes with the object.

    Raises:
        CouldNotRun: none can be made.
    """
    try:
        return tempfile.TemporaryDirectory(prefix="fshield-")
    except OSError as error:
        where = f" in {error.filename}" if error.filename else ""
        raise CouldNotRun(
            f"no folder for temporary files{where}: {error.strerror}",
            "name one that can be written to: TMPDIR=FOLDER fshield …",
        ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: a reader sees the old file or the new one, and a failure
    leaves the old one.

    Raises:
        CouldNotRun: it cannot be written.
    """
    if path.is_dir():
        raise CouldNotRun(f"{path}: is a folder", "name the file to write")
    temporary = ""
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe must be written to, not replaced.
            path.write_bytes(content)
            return
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
            os.fchmod(descriptor, 0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise CouldNotRun(
            f"{path}: {error.strerror}", "choose a folder that exists and can be written"
        ) from error
