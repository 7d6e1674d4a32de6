"""What an ELF file of a package is: library or program, what loads it, what it carries."""

from __future__ import annotations

import io
from dataclasses import dataclass

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from fshield.bundle.machine_code import Architecture, Calls, calls

MAGIC = b"\x7fELF"
_ARCHITECTURES: dict[str, Architecture] = {"x64": "x86_64", "AArch64": "arm64"}
# The loaders that the core is preloaded by. Any other makes the guard refuse the program.
LOADERS = {
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-linux-x86-64.so.2",
    "/lib64/ld-linux-aarch64.so.1",
}


@dataclass(frozen=True)
class Binary:
    """One ELF file.

    Attributes:
        architecture: ``x86_64``, ``arm64``, or the ELF machine's name where it is neither.
        program: it is started, and not loaded by another.
        loader: the program's loader; None for a static program and for a library.
        go: it holds a Go runtime, which makes every system call by itself.
        fts3: it carries an SQLite of its own, built with FTS3 or FTS4.
        calls: what it calls by itself; None where the architecture is not known.
    """

    architecture: str
    program: bool
    loader: str | None
    go: bool
    fts3: bool
    calls: Calls | None


def read(data: bytes) -> Binary | None:
    """What ``data`` is; None where it is not an ELF file of Linux that can be read."""
    if not data.startswith(MAGIC):
        return None
    try:
        elf = ELFFile(io.BytesIO(data))
        machine = elf.get_machine_arch()
        architecture = _ARCHITECTURES.get(machine)
        loader = None
        for segment in elf.iter_segments():
            if isinstance(segment, InterpSegment):
                loader = segment.get_interp_name()
        kind = elf["e_type"]
        program = (
            loader is not None or kind == "ET_EXEC" or (kind == "ET_DYN" and _is_static_pie(elf))
        )
        return Binary(
            architecture=architecture or machine,
            program=program and kind != "ET_REL",
            loader=loader,
            go=_is_go(elf, data),
            fts3=b"fts3_tokenizer" in data and b"SQLite format 3" in data,
            calls=calls(elf, architecture) if architecture and kind != "ET_REL" else None,
        )
    except Exception:  # of a damaged file, pyelftools raises whatever its parsers meet
        return None


_DF_1_PIE = 0x08000000


def _is_static_pie(elf: ELFFile) -> bool:
    """A program that is linked to be loaded anywhere and brings its own loader: libraries do not
    say PIE."""
    dynamic = elf.get_section_by_name(".dynamic")
    if not isinstance(dynamic, DynamicSection):
        return False
    flags = 0
    for tag in dynamic.iter_tags():
        if tag.entry.d_tag == "DT_FLAGS_1":
            flags = int(tag.entry.d_val)
        if tag.entry.d_tag == "DT_SONAME":
            return False
    return bool(flags & _DF_1_PIE)


def _is_go(elf: ELFFile, data: bytes) -> bool:
    if elf.get_section_by_name(".go.buildinfo") or elf.get_section_by_name(".note.go.buildid"):
        return True
    return b"\xff Go buildinf:" in data
