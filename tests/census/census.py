"""Compares every exported symbol of a libc with the table in ``symbols.yaml`` and with its machine
code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.census.disassembly import Library, reached

HERE = Path(__file__).resolve().parent
TABLE = HERE / "symbols.yaml"
SYSCALLS = HERE / "syscalls.tsv"
DOORS = HERE.parent.parent / "layer" / "core" / "interpose" / "doors.table"


@dataclass(frozen=True)
class Accepted:
    """A reason why some symbols may reach guarded system calls without a door."""

    reason: str
    reaches: frozenset[str]


@dataclass(frozen=True)
class Table:
    """What is known about each symbol."""

    doors: frozenset[str]
    harmless: frozenset[str]
    accepted: dict[str, Accepted]
    data: frozenset[str]
    stop: frozenset[str]
    stop_callees: frozenset[str]

    @property
    def known(self) -> frozenset[str]:
        return self.doors | self.harmless | frozenset(self.accepted) | self.data


@dataclass
class Findings:
    """What the table lacks about a libc."""

    symbols: int = 0
    reaching: int = 0  # functions whose machine code reaches a guarded system call
    doors: int = 0
    excepted: int = 0
    unknown: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # one sentence for each


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def read_doors(path: Path = DOORS) -> frozenset[str]:
    """The symbols in the table of doors."""
    lines = [
        line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")
    ]
    return frozenset(line.split("|")[0].strip() for line in lines)


def read_table(path: Path = TABLE) -> Table:
    """Read the table. Raises ValueError for a symbol that it lists twice."""
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    accepted: dict[str, Accepted] = {}
    doors = read_doors()
    harmless, data = words(document["harmless"]), words(document["data"])
    for group in document["accepted"]:
        entry = Accepted(group["reason"], words(group["reaches"]))
        for symbol in words(group["symbols"]):
            if symbol in accepted:
                raise ValueError(f"{symbol} is accepted twice")
            accepted[symbol] = entry
    for symbol in sorted(
        (harmless & accepted.keys()) | (harmless & data) | (data & accepted.keys())
    ):
        raise ValueError(f"{symbol} is in the table twice")
    stop: set[str] = set()
    callees: set[str] = set()
    for group in document["stop"]:
        stop |= words(group["symbols"])
        callees |= words(group.get("callees", ""))
    return Table(doors, harmless, accepted, data, frozenset(stop), frozenset(callees))


def read_syscalls(
    architecture: str, path: Path = SYSCALLS
) -> tuple[dict[int, str], dict[int, str]]:
    """Names by system call number, twice: system calls that are followed through calls, and system
    calls that count only in the function that makes them."""
    deep: dict[int, str] = {}
    own: dict[int, str] = {}
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            name, x86_64, arm64, depth = line.split("\t")
            number = x86_64 if architecture == "x86_64" else arm64
            if number != "-":
                (deep if depth == "deep" else own)[int(number)] = name
    return deep, own


def reaches(library: Library, table: Table, symbols: Iterable[str]) -> dict[str, frozenset[str]]:
    """The guarded system calls that each of ``symbols`` can reach."""
    deep, own = read_syscalls(library.architecture)
    stop = {
        address
        for name in table.stop | table.stop_callees
        for address in library.exports.get(name, ())
    }
    exported = {address for addresses in library.exports.values() for address in addresses}
    for name in table.stop_callees:
        for address in library.exports.get(name, ()):
            stop |= (
                library.functions[address].calls - exported
                if address in library.functions
                else set()
            )
    found = {}
    for symbol in symbols:
        names = set(reached(library, symbol, frozenset(stop), deep, {}))
        for address in library.exports[symbol]:
            function = library.functions.get(address)
            names |= {
                own[number] for number in (function.numbers if function else ()) if number in own
            }
        found[symbol] = frozenset(names)
    return found


def judge(library: Library, table: Table) -> Findings:
    """Compare every export of ``library`` with the table."""
    findings = Findings(
        symbols=len(library.exports) + len(library.objects - library.exports.keys())
    )
    for symbol in sorted((library.exports.keys() | library.objects) - table.known):
        findings.unknown.append(symbol)
    found = reaches(library, table, sorted(library.exports))
    for symbol, names in found.items():
        if symbol in table.doors:
            findings.doors += 1
            findings.reaching += bool(names)
        elif symbol in table.accepted:
            findings.excepted += bool(names)
            findings.reaching += bool(names)
            more = names - table.accepted[symbol].reaches
            if more:
                findings.wrong.append(
                    f"{symbol} is accepted, but reaches {', '.join(sorted(more))} as well"
                )
        elif names:
            findings.reaching += 1
            if symbol not in findings.unknown:
                findings.wrong.append(
                    f"{symbol} is called harmless, but reaches {', '.join(sorted(names))}"
                )
    return findings
