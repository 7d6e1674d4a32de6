"""Files that libc reads for a program, with text to steal in them."""

from __future__ import annotations

import struct


def zone_file(abbreviation: str) -> bytes:
    """A TZif file with one time type. Its abbreviation is the text, which ``time.tzname`` shows."""
    name = abbreviation.encode() + b"\0"
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, len(name))
    return b"TZif" + b"\0" * 16 + counts + struct.pack(">lBB", 3600, 0, 0) + name


def terminal_file() -> bytes:
    """A compiled terminfo entry of a terminal with 4321 columns."""
    names = b"loot|a terminal\0"
    return struct.pack("<6h", 0o432, len(names), 0, 1, 0, 0) + names + struct.pack("<h", 4321)


def catalogue_file(message: str) -> bytes:
    """A message catalogue for catopen with one message: number 1 of set 1."""
    entry = struct.pack("=3I", 2, 1, 0)
    return struct.pack("=3I", 0x960408DE, 1, 1) + entry + entry + message.encode() + b"\0"
