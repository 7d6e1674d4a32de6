"""Finds system calls that machine code makes without libc: ``syscall`` on x86_64, ``svc #0`` on
arm64.

First the instruction's bytes are searched, then only their surroundings are disassembled, so that a
library of 100 MB takes seconds. The result is what the code can do, not what it does.
"""

from __future__ import annotations

import bisect
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import capstone
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

Architecture = Literal["x86_64", "arm64"]
_CODE = {"x86_64": b"\x0f\x05", "arm64": b"\x01\x00\x00\xd4"}
# How far back to search for the number of a call if no function start is known, in bytes.
_WINDOW = 160
_EXECUTABLE = 0x4  # SHF_EXECINSTR
_PROGRAM_EXECUTABLE = 0x1  # PF_X


@dataclass(frozen=True)
class SystemCall:
    """A system call that the libc ring judges, and the rule that it bypasses without libc."""

    name: str
    rule: str


@dataclass
class Calls:
    """The system calls that the machine code of one file makes without libc.

    Attributes:
        named: system calls with a constant number that the libc ring judges.
        other: the number of calls that the libc ring does not judge (futex, clock_gettime, …).
        unread: the number of calls with a computed number, which can be any.
    """

    named: set[SystemCall] = field(default_factory=set)
    other: int = 0
    unread: int = 0


@cache
def table(architecture: Architecture) -> dict[int, SystemCall]:
    """The judged system calls of an architecture, by number."""
    column = 1 if architecture == "x86_64" else 2
    found = {}
    for line in Path(__file__).with_name("system_calls.tsv").read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        cells = line.split("\t")
        if cells[column] != "-":
            found[int(cells[column])] = SystemCall(cells[0], cells[3])
    return found


def calls(elf: ELFFile, architecture: Architecture) -> Calls:
    """The system calls that the code of ``elf`` makes without libc."""
    found = Calls()
    known = table(architecture)
    starts = _function_starts(elf)
    machine = _machine(architecture)
    for base, code in _code(elf):
        for offset in _places(code, architecture):
            number = _number(machine, architecture, code, base, offset, starts)
            if number is _NO_CALL:
                continue
            if number is None:
                found.unread += 1
            elif number in known:
                found.named.add(known[number])
            else:
                found.other += 1
    return found


def _code(elf: ELFFile) -> Iterator[tuple[int, bytes]]:
    """Address and bytes of executable parts: sections, or segments if the sections are stripped."""
    sections = [
        part for part in elf.iter_sections() if part["sh_flags"] & _EXECUTABLE and part["sh_size"]
    ]
    if sections:
        yield from ((int(part["sh_addr"]), part.data()) for part in sections)
        return
    for segment in elf.iter_segments():
        if segment["p_type"] == "PT_LOAD" and segment["p_flags"] & _PROGRAM_EXECUTABLE:
            yield int(segment["p_vaddr"]), segment.data()


def _places(code: bytes, architecture: Architecture) -> Iterator[int]:
    for match in re.finditer(re.escape(_CODE[architecture]), code):
        if architecture == "x86_64" or match.start() % 4 == 0:
            yield match.start()


@cache
def _machine(architecture: Architecture) -> Any:
    if architecture == "arm64":
        return capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    return capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)


_NO_CALL = object()  # the bytes are part of another instruction
_UNDECODED = object()  # the sweep met bytes that are not an instruction


def _number(
    machine: Any, architecture: Architecture, code: bytes, base: int, offset: int, starts: list[int]
) -> Any:
    """The number of the call at ``offset``; None if it is computed; _NO_CALL if no instruction
    begins there.
    """
    index = bisect.bisect_right(starts, base + offset) - 1
    start = starts[index] - base if index >= 0 else -1
    if not 0 <= start <= offset or offset - start > 1 << 16:
        start = -1
    if architecture == "arm64":
        return _number_arm(machine, code, base, offset, max(start, offset - _WINDOW, 0))
    if start >= 0:
        found = _sweep_x86(machine, code[start : offset + 2], base + start, base + offset)
        if found is not _UNDECODED:
            return found
    # There is no function start, or data between the instructions. A sweep from a wrong byte soon
    # gets in step with the instructions.
    for first in range(max(0, offset - _WINDOW), offset + 1):
        found = _sweep_x86(machine, code[first : offset + 2], base + first, base + offset)
        # Two bytes of data can look like a call. Count it only if a constant is loaded first.
        if isinstance(found, int):
            return found
    return _NO_CALL


def _sweep_x86(machine: Any, code: bytes, address: int, target: int) -> Any:
    """The number in eax at ``target``; None if it is not a constant; or _NO_CALL or _UNDECODED."""
    number: int | None = None
    registers: dict[str, int] = {}
    end = address
    for at, size, mnemonic, operands in machine.disasm_lite(code, address):
        end = at + size
        if at == target:
            return number if mnemonic == "syscall" else _NO_CALL
        first, _, rest = operands.partition(", ")
        if mnemonic in {"call", "syscall"}:
            number = None
        elif mnemonic == "mov" and first in {"eax", "rax"}:
            number = _constant(rest) if _constant(rest) is not None else registers.get(_wide(rest))
        elif mnemonic == "xor" and first == rest and first in {"eax", "rax"}:
            number = 0
        elif mnemonic == "push":
            registers["pushed"] = -1 if _constant(operands) is None else int(operands, 0)
        elif mnemonic == "pop" and operands == "rax":
            number = registers.get("pushed") if registers.get("pushed", -1) >= 0 else None
        elif mnemonic == "mov" and _constant(rest) is not None:
            registers[_wide(first)] = int(rest, 0)
        elif first in {"eax", "rax", "al"} and mnemonic not in {"cmp", "test", "push"}:
            number = None
    return _NO_CALL if end > target else _UNDECODED


def _number_arm(machine: Any, code: bytes, base: int, offset: int, start: int) -> int | None:
    number: int | None = None
    start -= start % 4
    for _, _, mnemonic, operands in machine.disasm_lite(code[start:offset], base + start):
        first, _, rest = operands.partition(", ")
        if first in {"x8", "w8"} and mnemonic in {"mov", "movz"}:
            number = int(rest[1:], 0) if rest.startswith("#") and "," not in rest else None
        elif mnemonic == "bl" or first in {"x8", "w8"}:
            number = None
    return number


def _constant(operand: str) -> int | None:
    return int(operand, 0) if re.fullmatch(r"0x[0-9a-f]+|\d+", operand) else None


def _wide(register: str) -> str:
    """One name for the 32 and 64 bits of an x86 register."""
    return register.removesuffix("d") if register.startswith("r") else f"r{register[1:]}"


def _function_starts(elf: ELFFile) -> list[int]:
    """The starts of functions, from the unwinding table and the symbols; empty if there is
    neither.
    """
    starts: set[int] = set()
    section = elf.get_section_by_name(".eh_frame_hdr")
    if section is not None:
        data, base = section.data(), int(section["sh_addr"])
        # Version 1; pointer pc-relative sdata4, count udata4, table datarel sdata4: what linkers
        # write.
        if len(data) >= 12 and data[0] == 1 and data[2] == 0x03 and data[3] == 0x3B:
            (count,) = struct.unpack_from("<I", data, 8)
            count = min(count, (len(data) - 12) // 8)
            starts.update(
                base + struct.unpack_from("<i", data, 12 + 8 * index)[0] for index in range(count)
            )
    if not starts:
        for part in elf.iter_sections():
            if isinstance(part, SymbolTableSection):
                starts.update(
                    int(symbol["st_value"])
                    for symbol in part.iter_symbols()
                    if symbol["st_info"]["type"] == "STT_FUNC"
                )
    return sorted(starts)
