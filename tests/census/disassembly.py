"""Which system calls each exported function of a shared library can reach, according to its machine
code.

A linear sweep with capstone over the functions that ``.eh_frame_hdr`` and the symbol table delimit.
It follows direct calls, jumps out of a function, calls through the PLT and GOT, and functions whose
address is taken. If the caller passes the system call's number (glibc's cancellable calls), the
number is read at the call. It does not follow pointers kept in data (vtables, NSS back-ends). Its
result is therefore a proposal and no proof.
"""

from __future__ import annotations

import bisect
import re
import struct
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import capstone
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

ANY = "any"  # a number that the caller passes
_HEX = re.compile(r"0x[0-9a-f]+|\b\d+\b")
_RIP = re.compile(r"\[rip ([+-]) (0x[0-9a-f]+|\d+)\]")


@dataclass
class Function:
    """What the machine code of one function does."""

    calls: set[int] = field(default_factory=set)  # addresses
    imports: set[str] = field(default_factory=set)  # symbols of other libraries
    numbers: set[int] = field(default_factory=set)  # numbers of system calls
    passes_on: bool = False  # makes a system call whose number could not be read
    takes_number: bool = False  # … because the number is an argument, which is read at the call


@dataclass
class Library:
    """A shared library's exports and its call graph."""

    path: Path
    architecture: str  # x86_64 or arm64
    exports: dict[str, set[int]]  # the functions, with every version of a symbol
    objects: set[str]  # exported data
    functions: dict[int, Function]


class _Image:
    """The parts of the file that are read by address."""

    def __init__(self, elf: ELFFile) -> None:
        self.segments = [
            (int(part["p_vaddr"]), part.data())
            for part in elf.iter_segments()
            if part["p_type"] == "PT_LOAD"
        ]

    def read(self, address: int, size: int) -> bytes:
        for start, data in self.segments:
            if start <= address < start + len(data):
                return data[address - start : address - start + size]
        return b""


def _frame_starts(elf: ELFFile) -> set[int]:
    """The starts of functions, from the binary search table of ``.eh_frame_hdr``."""
    section = elf.get_section_by_name(".eh_frame_hdr")
    if section is None:
        return set()
    data, base = section.data(), int(section["sh_addr"])
    # Version 1 with the encodings that linkers write: pointer pc-relative sdata4, count udata4,
    # table datarel sdata4.
    if data[0] != 1 or data[2] != 0x03 or data[3] != 0x3B:
        return set()
    (count,) = struct.unpack_from("<I", data, 8)
    return {base + struct.unpack_from("<i", data, 12 + 8 * index)[0] for index in range(count)}


def _dynamic_symbols(elf: ELFFile) -> SymbolTableSection:
    section = elf.get_section_by_name(".dynsym")
    if not isinstance(section, SymbolTableSection):
        raise ValueError("no dynamic symbols")
    return section


def _slots(elf: ELFFile) -> tuple[dict[int, str], dict[int, int]]:
    """The slots that the loader fills: with symbols, or with addresses within the library."""
    names: dict[int, str] = {}
    addresses: dict[int, int] = {}
    symbols = _dynamic_symbols(elf)
    for section in elf.iter_sections():
        if not isinstance(section, RelocationSection):
            continue
        for entry in section.iter_relocations():
            at = int(entry["r_offset"])
            if entry["r_info_sym"]:
                symbol: Any = symbols.get_symbol(entry["r_info_sym"])
                if symbol["st_shndx"] == "SHN_UNDEF":
                    names[at] = symbol.name
                else:
                    addresses[at] = int(symbol["st_value"]) + int(entry["r_addend"])
            elif "r_addend" in entry.entry:
                addresses[at] = int(entry["r_addend"])
    return names, addresses


class _Sweep:
    """One pass over the executable sections."""

    def __init__(self, elf: ELFFile, starts: list[int]) -> None:
        self.elf = elf
        self.arm = elf.get_machine_arch() == "AArch64"
        self.image = _Image(elf)
        self.starts = starts
        self.known = set(starts)
        self.names, self.addresses = _slots(elf)
        self.functions: dict[int, Function] = defaultdict(Function)
        # Calls, each with the number that was last loaded where a number argument goes.
        self.given: dict[int, list[tuple[int, int | None]]] = defaultdict(list)

    def owner(self, address: int) -> int:
        return self.starts[max(bisect.bisect_right(self.starts, address) - 1, 0)]

    def slot(self, function: Function, address: int) -> int | None:
        """The target of a pointer that the loader fills in."""
        if address in self.names:
            function.imports.add(self.names[address])
            return None
        if address in self.addresses:
            return self.addresses[address]
        return int.from_bytes(self.image.read(address, 8), "little")

    def edge(self, caller: int, target: int | None, number: int | None) -> None:
        if target is None or not self.text[0] <= target < self.text[1]:
            return
        start = self.owner(target)
        if start != caller:
            self.functions[caller].calls.add(start)
            self.given[caller].append((start, number))

    def run(self) -> None:
        sections = [
            part for part in self.elf.iter_sections() if part["sh_flags"] & 4 and part["sh_size"]
        ]
        self.text = (
            min(int(part["sh_addr"]) for part in sections),
            max(int(part["sh_addr"] + part["sh_size"]) for part in sections),
        )
        if self.arm:
            machine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
        else:
            machine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
        machine.skipdata = True
        sweep = self.sweep_arm if self.arm else self.sweep_x86
        for section in sections:
            data, base = section.data(), int(section["sh_addr"])
            inside = [start for start in self.starts if base <= start < base + len(data)]
            if not inside or inside[0] != base:
                inside.insert(0, base)
            for start, end in zip(inside, [*inside[1:], base + len(data)], strict=True):
                sweep(
                    self.owner(start), machine.disasm_lite(data[start - base : end - base], start)
                )

    # One pass, with a branch for each kind of instruction.
    def sweep_x86(self, start: int, code: Any) -> None:  # noqa: PLR0912
        function = self.functions[start]
        number: int | None = None  # in eax
        held: dict[str, int] = {}  # constants in other registers
        pushed: int | None = None  # on top of the stack
        for address, size, mnemonic, operands in code:
            if mnemonic == "syscall":
                if number is None:
                    function.passes_on = True
                else:
                    function.numbers.add(number)
                number = None
                continue
            if mnemonic == "call" or mnemonic[0] == "j":
                target: int | None = None
                if operands.startswith("0x"):
                    target = int(operands, 16)
                elif match := _RIP.search(operands):
                    target = self.slot(function, _relative(address + size, match))
                self.edge(start, target, pushed)
                if mnemonic == "call":
                    number = pushed = None
                continue
            if match := _RIP.search(operands):
                place = _relative(address + size, match)
                if mnemonic == "lea" and place in self.known:
                    self.edge(start, place, None)
                elif (
                    mnemonic == "mov"
                    and place in self.addresses
                    and self.addresses[place] in self.known
                ):
                    self.edge(start, self.addresses[place], None)
            if mnemonic == "push":
                pushed = int(operands, 16) if operands.startswith("0x") else None
                if operands.isdigit():
                    pushed = int(operands)
            elif mnemonic == "mov" and "ptr [rsp]," in operands:
                value = operands.rsplit(", ", 1)[1]
                pushed = int(value, 0) if _HEX.fullmatch(value) else None
            first, _, rest = operands.partition(", ")
            if first in {"eax", "rax"} and mnemonic not in {"cmp", "test", "push"}:
                if mnemonic == "mov":
                    number = (
                        int(rest, 0) if _HEX.fullmatch(rest) else held.get(_full_register(rest))
                    )
                elif mnemonic == "xor" and rest == first:
                    number = 0
                else:
                    number = None
            elif mnemonic == "mov" and _HEX.fullmatch(rest):
                held[_full_register(first)] = int(rest, 0)

    def sweep_arm(self, start: int, code: Any) -> None:  # noqa: PLR0912
        function = self.functions[start]
        number: int | None = None  # in x8
        given: int | None = None  # in x6, the seventh argument
        pages: dict[str, int] = {}
        for _, _, mnemonic, operands in code:
            if mnemonic == "svc":
                if number is None:
                    function.passes_on = True
                else:
                    function.numbers.add(number)
                continue
            if mnemonic in {"bl", "b", "cbz", "cbnz", "tbz", "tbnz"} or mnemonic.startswith("b."):
                target = operands.rsplit("#", 1)[-1]
                self.edge(start, int(target, 16), given if mnemonic in {"bl", "b"} else None)
                if mnemonic == "bl":
                    number = given = None
                continue
            first, _, rest = operands.partition(", ")
            if mnemonic in {"mov", "movz"} and first in {"x8", "w8", "x6", "w6"}:
                value = int(rest[1:], 0) if rest.startswith("#") and "," not in rest else None
                if first[1] == "8":
                    number = value
                else:
                    given = value
            elif mnemonic == "adrp":
                pages[first] = int(rest.lstrip("#"), 16)
            elif mnemonic == "add" and "#" in rest and rest.split(",")[0] in pages:
                place = pages[rest.split(",")[0]] + int(rest.rsplit("#", 1)[1], 0)
                if place in self.known:
                    self.edge(start, place, None)
            elif mnemonic == "ldr" and "[" in rest and rest[1:].split(",")[0].rstrip("]") in pages:
                page = pages[rest[1:].split(",")[0].rstrip("]")]
                offset = int(rest.rsplit("#", 1)[1].rstrip("]!"), 0) if "#" in rest else 0
                if page + offset in self.names:
                    function.imports.add(self.names[page + offset])
                elif self.addresses.get(page + offset) in self.known:
                    self.edge(start, self.addresses[page + offset], None)


def _full_register(register: str) -> str:
    """A common name for the 32-bit and 64-bit forms of an x86 register."""
    return register.removesuffix("d") if register.startswith("r") else f"r{register[1:]}"


def _relative(base: int, match: re.Match[str]) -> int:
    offset = int(match[2], 0)
    return base + (offset if match[1] == "+" else -offset)


def _settle_numbers(sweep: _Sweep) -> None:
    """If a function takes the number of its system call as an argument, attribute the number to its
    callers.

    A function whose system call has an unknown number takes it as an argument if most of its
    callers pass one. A caller that passes an unreadable number takes it as an argument itself.
    """
    calls = [
        (caller, target, number) for caller, made in sweep.given.items() for target, number in made
    ]
    again = True
    while again:
        again = False
        sites: dict[int, list[int | None]] = defaultdict(list)
        for _, target, number in calls:
            if sweep.functions[target].passes_on:
                sites[target].append(number)
        takes = {
            target
            for target, given in sites.items()
            if sum(number is not None for number in given) * 2 > len(given)
        }
        for caller, target, number in calls:
            function = sweep.functions[caller]
            if target not in takes:
                continue
            if number is not None:
                function.numbers.add(number)
            elif not function.passes_on:
                function.passes_on = again = True
    callers: dict[int, set[int]] = defaultdict(set)
    for caller, target, _ in calls:
        if sweep.functions[target].passes_on:
            callers[target].add(caller)
    wider = True
    while wider:
        inner = {target for target, known in callers.items() if known <= takes}
        wider = not inner <= takes
        takes |= inner
    for target in takes:
        sweep.functions[target].takes_number = True


def read(path: Path) -> Library:
    """The exports of ``path`` and the calls that its functions make. Raises ValueError for anything
    but x86_64 and arm64."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        architecture = {"x64": "x86_64", "AArch64": "arm64"}.get(elf.get_machine_arch())
        if architecture is None:
            raise ValueError(f"{path}: neither x86_64 nor arm64")
        exports: dict[str, set[int]] = defaultdict(set)
        objects: set[str] = set()
        for symbol in _dynamic_symbols(elf).iter_symbols():
            if (
                symbol["st_shndx"] in {"SHN_UNDEF", "SHN_ABS"}
                or symbol["st_info"]["bind"] == "STB_LOCAL"
            ):
                continue
            if symbol["st_info"]["type"] in {"STT_FUNC", "STT_LOOS"}:  # STT_LOOS is STT_GNU_IFUNC
                exports[symbol.name].add(int(symbol["st_value"]))
            else:
                objects.add(symbol.name)
        starts = _frame_starts(elf).union(*exports.values())
        sweep = _Sweep(elf, sorted(starts))
        sweep.run()
    _settle_numbers(sweep)
    return Library(path, architecture, dict(exports), objects, dict(sweep.functions))


def reached(
    library: Library,
    symbol: str,
    stop: frozenset[int],
    numbers: dict[int, str],
    imports: dict[str, set[str]],
) -> dict[str, list[int]]:
    """The guarded system calls that ``symbol`` can reach, each with the path to it (addresses).

    ``numbers`` are the guarded system calls of this architecture. ``imports`` has the results for
    symbols of other libraries. Functions in ``stop`` are not entered. A number that a function only
    passes on counts as ``any``.
    """
    found: dict[str, list[int]] = {}
    before: dict[int, int | None] = dict.fromkeys(library.exports[symbol])
    queue = list(before)
    while queue:
        here = queue.pop(0)
        function = library.functions.get(here)
        if function is None:
            continue
        names = {numbers[number] for number in function.numbers if number in numbers}
        if function.passes_on and (before[here] is None or not function.takes_number):
            names.add(ANY)
        for imported in function.imports:
            names |= imports.get(imported, set())
        for name in names - found.keys():
            way: list[int] = []
            step: int | None = here
            while step is not None:
                way.append(step)
                step = before[step]
            found[name] = way[::-1]
        for target in function.calls:
            if target not in before and target not in stop:
                before[target] = here
                queue.append(target)
    return found
