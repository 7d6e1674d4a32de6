"""Finds the source file of each function of a shared library, by its debug information."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile


@dataclass(frozen=True)
class Function:
    """A function and its source file, relative to the checkout."""

    file: str
    name: str


def functions(library: Path) -> dict[int, Function]:
    """Every function of `library`, by its offset in the file."""
    found: dict[int, Function] = {}
    with library.open("rb") as file:
        dwarf = ELFFile(file).get_dwarf_info()
        for unit in dwarf.iter_CUs():
            lines = dwarf.line_program_for_CU(unit)
            assert lines is not None
            for entry in unit.get_top_DIE().iter_children():
                place = entry.attributes.get("DW_AT_low_pc")
                if entry.tag == "DW_TAG_subprogram" and place is not None:
                    function = _described(entry, lines.header)
                    if function is not None:
                        found[place.value] = function
    return found


def _described(entry: Any, header: Any) -> Function | None:
    if "DW_AT_abstract_origin" in entry.attributes:
        entry = entry.get_DIE_from_attribute("DW_AT_abstract_origin")
    name, declared = (entry.attributes.get(key) for key in ("DW_AT_name", "DW_AT_decl_file"))
    if name is None or declared is None:
        return None
    # Before DWARF 5, indexes of files and folders start at 1.
    base = 0 if header["version"] >= 5 else 1
    file = header["file_entry"][declared.value - base]
    folder = file["dir_index"] - base
    path = file["name"].decode()
    if folder >= 0:
        path = f"{header['include_directory'][folder].decode()}/{path}"
    return Function(path.removeprefix("./"), name.value.decode())
