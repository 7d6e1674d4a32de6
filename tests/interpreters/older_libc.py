"""Lets an extension module of a newer distribution load here. It replaces symbol versions that this
machine's glibc lacks by the oldest one.

Debian's termios needs cfsetospeed and three more symbols of GLIBC_2.42. Their older forms are good
enough for tests: ``python older_libc.py FILE VERSION``.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from elftools.elf.elffile import ELFFile

OLDEST = ("GLIBC_2.2.5", "GLIBC_2.17")  # x86_64, arm64
_VERNEED, _VERNAUX = struct.Struct("<HHIII"), struct.Struct("<IHHII")


def elf_hash(name: str) -> int:
    """The hash of symbol versions (System V ABI, "Hash Table")."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ high >> 24) & ~high
    return value


def lower(path: Path, version: str) -> bool:
    """Replace ``version`` by the oldest version. Returns false if the file does not need
    ``version``."""
    data = bytearray(path.read_bytes())
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        wanted = elf.get_section_by_name(".gnu.version_r")
        names = elf.get_section_by_name(".dynstr")
        if wanted is None or names is None:
            return False
        strings = bytes(names.data())
        start, count = int(wanted["sh_offset"]), int(wanted["sh_info"])
    oldest = next(name for name in OLDEST if f"\0{name}\0".encode() in strings)
    place = strings.index(f"\0{oldest}\0".encode()) + 1
    changed = False
    for _ in range(count):
        _, entries, _, at, after = _VERNEED.unpack_from(data, start)
        entry = start + at
        for _ in range(entries):
            _, flags, other, name, step = _VERNAUX.unpack_from(data, entry)
            if strings[name : strings.index(b"\0", name)].decode() == version:
                _VERNAUX.pack_into(data, entry, elf_hash(oldest), flags, other, place, step)
                changed = True
            entry += step
        start += after
    if changed:
        path.write_bytes(data)
    return changed


if __name__ == "__main__":
    lower(Path(sys.argv[1]), sys.argv[2])
