"""Every door can be unwound, because a thread may be cancelled inside libc, and a caller may throw
through the door."""

from __future__ import annotations

from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tests.support import LAYER


def test_every_door_has_an_unwind_table() -> None:
    with (LAYER / "function-shield.d" / "function-shield.so").open("rb") as file:
        elf = ELFFile(file)
        symbols = elf.get_section_by_name(".dynsym")
        assert isinstance(symbols, SymbolTableSection)
        doors = {
            symbol["st_value"]: symbol.name
            for symbol in symbols.iter_symbols()
            if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["type"] == "STT_FUNC"
        }
        described = {
            entry["initial_location"]
            for entry in elf.get_dwarf_info().EH_CFI_entries()
            if isinstance(entry, FDE)
        }
    assert len(doors) > 250
    assert sorted(doors[at] for at in doors.keys() - described) == []
