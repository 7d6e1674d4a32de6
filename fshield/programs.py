"""Programs that the guard cannot be loaded into: by name (``programs.tsv``), or by their file.

The engine inspects the file when a program is started (``layer/core/processes/program.c``). fshield
usually runs on another machine, so it has a table of well-known names. ``always``: every build is
refused. ``often``: most builds are, and a file on this machine tells.
"""

from __future__ import annotations

import os
import stat
import struct
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePosixPath

_ELF64_LITTLE = b"\x7fELF\x02\x01"
_PT_INTERP = 3
_MAX_SEGMENTS = 128
_SEGMENT = struct.Struct("<IIQQQQQQ")
_LINE = 256
_SCRIPTS = 4
_DYNAMIC = "use a dynamically linked build for glibc"


@dataclass(frozen=True)
class Unguardable:
    """Why a program is refused under any policy.

    Attributes:
        sure: True: every build is refused, or the file on this machine is. False: most builds are.
        why: completes "the guard cannot be loaded into it: …".
        instead: what to do.
    """

    sure: bool
    why: str
    instead: str


@cache
def _table() -> dict[str, Unguardable]:
    text = resources.files("fshield").joinpath("programs.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return {name: Unguardable(when == "always", why, instead) for name, when, why, instead in rows}


def known(path: str) -> Unguardable | None:
    """The table's entry for a program, by the last part of its path."""
    return _table().get(PurePosixPath(path).name)


def unguardable(path: str) -> Unguardable | None:
    """The table's entry for `path`, or the result for its file, if this machine has it."""
    by_name = known(path)
    if by_name is not None and by_name.sure:
        return by_name
    try:
        why = _by_file(path, _SCRIPTS)
    except (OSError, ValueError):
        return by_name  # it is not here, or cannot be read
    if why is None:
        return None
    return Unguardable(True, why, by_name.instead if by_name else _DYNAMIC)


def _by_file(path: str, scripts: int) -> str | None:
    """Why the guard cannot be loaded into the program in `path`; None if it can, or if it cannot
    start for another reason. Raises OSError and ValueError.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        mode = os.fstat(fd).st_mode
        if not stat.S_ISREG(mode):
            raise ValueError("not a regular file")
        setgid = stat.S_ISGID | stat.S_IXGRP
        if mode & stat.S_ISUID or mode & setgid == setgid:
            return "on this machine it is setuid or setgid"
        start = os.pread(fd, _LINE, 0)
        if start.startswith(b"#!") and scripts:
            words = start[2:].partition(b"\n")[0].split()
            return _by_file(os.fsdecode(words[0]), scripts - 1) if words else None
        if not start.startswith(b"\x7fELF") or len(start) < 64:
            return None
        if not start.startswith(_ELF64_LITTLE):
            return "on this machine it is not a 64-bit program"
        return _by_segments(fd, start)
    finally:
        os.close(fd)


def _by_segments(fd: int, start: bytes) -> str | None:
    (table,) = struct.unpack_from("<Q", start, 32)
    size, count = struct.unpack_from("<HH", start, 54)
    if size != _SEGMENT.size or count > _MAX_SEGMENTS:
        raise ValueError("unusual program headers")
    for index in range(count):
        data = os.pread(fd, size, table + index * size)
        if len(data) != size:
            raise ValueError("truncated")
        kind, _, offset, _, _, length, _, _ = _SEGMENT.unpack(data)
        if kind == _PT_INTERP:
            loader = os.pread(fd, min(length, _LINE), offset).rstrip(b"\0")
            glibc = PurePosixPath(os.fsdecode(loader)).name.startswith("ld-linux-")
            return None if glibc else "on this machine it asks for a loader that is not glibc's"
    return "on this machine it is statically linked"
