"""Copies this machine's libc without some of its functions, like an older libc.

In the copy's symbol table, the symbols of these functions are undefined, and both the loader and
the core skip undefined symbols. Data symbols stay, because libc looks up its own by name. If the
newer of two versions is hidden, the older one becomes the default, as it once was.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

HIDDEN = 0x8000  # in .gnu.version: only for programs that need this very version
Version = tuple[int, ...]


@dataclass(frozen=True)
class Symbol:
    """One version of an exported function."""

    name: str
    index: int
    version: Version


def parse(text: str) -> Version:
    """``2.28`` or ``GLIBC_2.28`` as numbers. Any other version (GLIBC_PRIVATE) counts as older than
    all."""
    found = re.fullmatch(r"(?:GLIBC_)?(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


class Libc:
    """The bytes of a libc, and the offsets of its symbols."""

    def __init__(self, path: Path) -> None:
        self.bytes = path.read_bytes()
        with path.open("rb") as file:
            elf = ELFFile(file)
            table = elf.get_section_by_name(".dynsym")
            versions = elf.get_section_by_name(".gnu.version")
            definitions = elf.get_section_by_name(".gnu.version_d")
            assert table is not None and versions is not None and definitions is not None
            names = {}
            versioned = definitions.iter_versions()  # type: ignore[attr-defined]
            for definition, auxiliaries in versioned:
                names[definition["vd_ndx"]] = next(iter(auxiliaries)).name
            self.symbols_at, self.versions_at = table["sh_offset"], versions["sh_offset"]
            self.symbols: dict[str, list[Symbol]] = {}
            for index, symbol in enumerate(table.iter_symbols()):  # type: ignore[attr-defined]
                if (
                    symbol["st_info"]["type"] not in ("STT_FUNC", "STT_LOOS")
                    or symbol["st_shndx"] == "SHN_UNDEF"
                ):
                    continue
                (which,) = struct.unpack_from("<H", self.bytes, self.versions_at + 2 * index)
                version = parse(names.get(which & ~HIDDEN, ""))
                self.symbols.setdefault(symbol.name, []).append(Symbol(symbol.name, index, version))

    def newest(self) -> Version:
        """The newest version among its symbols."""
        return max(symbol.version for symbols in self.symbols.values() for symbol in symbols)

    def without(self, names: set[str]) -> bytes:
        """A copy without any version of these functions."""
        return self._hide([symbol for name in names for symbol in self.symbols.get(name, [])])

    def as_of(self, level: Version) -> bytes:
        """A copy without everything newer than glibc ``level``."""
        return self._hide(
            [one for symbols in self.symbols.values() for one in symbols if one.version > level]
        )

    def _hide(self, gone: list[Symbol]) -> bytes:
        copy = bytearray(self.bytes)
        hidden = {symbol.index for symbol in gone}
        for symbol in gone:
            at = self.symbols_at + 24 * symbol.index
            struct.pack_into("<HQ", copy, at + 6, 0, 0)  # st_shndx, st_value
        for name in {symbol.name for symbol in gone}:
            left = [symbol for symbol in self.symbols[name] if symbol.index not in hidden]
            if left:
                at = self.versions_at + 2 * max(left, key=lambda symbol: symbol.version).index
                (which,) = struct.unpack_from("<H", copy, at)
                struct.pack_into("<H", copy, at, which & ~HIDDEN)
        return bytes(copy)
