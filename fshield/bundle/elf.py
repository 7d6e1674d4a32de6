"""Describes an ELF file of a package: library or program, its loader, its contents."""

from __future__ import annotations

import io
from dataclasses import dataclass

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from fshield.bundle.machine_code import Architecture, Calls, calls

MAGIC = b"\x7fELF"
_ARCHITECTURES: dict[str, Architecture] = {"x64": "x86_64", "AArch64": "arm64"}
# The loaders that preload the core. The guard refuses a program with any other.
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
        architecture: ``x86_64``, ``arm64``, or else the ELF machine's name.
        program: it is a program, not a library.
        loader: the program's loader; None for a static program and for a library.
        go: it contains a Go runtime, which makes every system call itself.
        fts3: it contains its own SQLite, built with FTS3 or FTS4.
        calls: the system calls that it makes without libc; None if the architecture is unknown.
    """

    architecture: str
    program: bool
    loader: str | None
    go: bool
    fts3: bool
    calls: Calls | None


def read(data: bytes) -> Binary | None:
    """Describe ``data``. None if it is not a readable ELF file of Linux."""
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
    except Exception:  # for a damaged file, pyelftools raises any exception
        return None


_DF_1_PIE = 0x08000000


def _is_static_pie(elf: ELFFile) -> bool:
    """Whether it is a static program that can be loaded anywhere. Libraries lack the PIE flag."""
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
