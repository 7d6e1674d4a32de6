"""The core's dependencies point one way, both its includes and the calls between its units.

A unit is a .c file. ``ORDER`` holds the layers from the bottom; a unit may use what lies below its
own layer, or in the same folder. There are no exceptions.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tests.core import objects
from tests.support import CORE

FILES_IN_A_FOLDER = 20

# From the bottom up. Folders of one layer do not use each other.
ORDER = (
    ("support",),
    ("libc",),
    ("policy",),
    ("guard",),
    ("events",),
    ("cpython", "v8"),
    ("files",),
    ("memory",),
    ("network",),
    ("processes",),
    ("javascript",),
    ("python",),
    ("start",),
    ("interpose",),
)
# Declared in a lower layer, and defined by this unit higher up. The linker connects them.
FILLED_FROM_ABOVE = {
    "guard_start": "start/steps",  # guard_ready() starts the guard on first use
    "guard_after_fork": "start/steps",  # every layer resets something in a forked child
    "guard_child_variable": "start/inherited",  # every layer passes something on to a new program
    "interpreter_origin": "python/interpreter",  # an event names its caller
    "origin_resolve": "python/origin/origin",
    "interpreter_callers": "python/origin/stack",  # an entry may count only for some callers
    "interpreter_callers_of": "python/origin/stack",
    "distribution_requires": "python/origin/owner",
}


def top(path: str) -> str:
    """The top folder of a path below layer/core."""
    return path.partition("/")[0]


def layer_of(path: str) -> int:
    """The index in ORDER of a path below layer/core."""
    return next(at for at, folders in enumerate(ORDER) if top(path) in folders)


def points_up(source: str, target: str) -> bool:
    """Whether ``source`` must not use ``target``."""
    if top(source) == top(target):
        return False
    return layer_of(target) >= layer_of(source)


def includes() -> dict[str, list[str]]:
    """For each file below layer/core, the files there that it includes. Generated files count as
    data."""
    found = {}
    for path in sorted(CORE.rglob("*.[ch]")):
        names = objects.INCLUDE.findall(path.read_text())
        found[str(path.relative_to(CORE))] = [name for name in names if "/" in name]
    return found


def symbols(path: Path) -> tuple[set[str], set[str]]:
    """The symbols that an object defines, and the undefined symbols that it uses."""
    defined: set[str] = set()
    used: set[str] = set()
    with path.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        for symbol in table.iter_symbols():
            if symbol["st_info"]["bind"] != "STB_LOCAL":
                (used if symbol["st_shndx"] == "SHN_UNDEF" else defined).add(symbol.name)
    return defined, used


@cache
def calls() -> dict[str, dict[str, list[str]]]:
    """For each unit, the units that it uses, and the symbols through which it does."""
    units = objects.units()
    tables = [symbols(path) for path in units.values()]
    names = [str(path.relative_to(CORE).with_suffix("")) for path in units]
    owner = {
        symbol: name for name, (defined, _) in zip(names, tables, strict=True) for symbol in defined
    }
    found: dict[str, dict[str, list[str]]] = {name: defaultdict(list) for name in names}
    for name, (_, used) in zip(names, tables, strict=True):
        for symbol in sorted(used & owner.keys()):
            if owner[symbol] != name and symbol not in FILLED_FROM_ABOVE:
                found[name][owner[symbol]].append(symbol)
    return found


def circles(graph: dict[str, dict[str, list[str]]]) -> set[str]:
    """The units that can reach themselves."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        todo = [start]
        while todo:
            for name in graph.get(todo.pop(), {}):
                if name not in seen:
                    seen.add(name)
                    todo.append(name)
        return seen

    return {name for name in graph if name in reached(name)}


def offending_includes(found: dict[str, list[str]]) -> set[str]:
    """The includes that point up."""
    return {
        f"{path} -> {name}"
        for path, names in found.items()
        for name in names
        if points_up(path, name)
    }


def offending_calls() -> dict[str, list[str]]:
    """The calls that point up, with their symbols."""
    return {
        f"{unit} -> {other}": names
        for unit, others in calls().items()
        for other, names in others.items()
        if points_up(unit, other)
    }


def test_nothing_points_up() -> None:
    found = offending_includes(includes()) | offending_calls().keys()
    arrows = {arrow: offending_calls().get(arrow, "include") for arrow in sorted(found)}
    assert not arrows, "points up: move it down, or pass it in from above (layer/core/README.md)"


def test_no_circles() -> None:
    assert sorted(circles(calls())) == []


def test_tables_filled_from_above_are_tables() -> None:
    for symbol, unit in FILLED_FROM_ABOVE.items():
        assert symbol in symbols(objects.compiled(CORE / f"{unit}.c"))[0]


def test_small_folders() -> None:
    folders = {path.parent for path in CORE.rglob("*.[ch]")}
    units = {
        str(folder.relative_to(CORE)): len(list(folder.glob("*.c"))) for folder in sorted(folders)
    }
    assert {name: count for name, count in units.items() if count > FILES_IN_A_FOLDER} == {}


@pytest.mark.parametrize(
    ("path", "name", "offends"),
    [
        ("support/lock.c", "guard/guard.h", True),
        ("files/files.c", "interpose/integrity.h", True),
        ("files/files.c", "network/network.h", True),
        ("network/network.c", "files/files.h", False),
        ("start/steps.c", "interpose/doors.h", True),
        ("files/files.c", "files/handler.h", False),
    ],
)
def test_an_upward_include_is_found(path: str, name: str, offends: bool) -> None:
    assert offending_includes({path: [name]}) == ({f"{path} -> {name}"} if offends else set())


def test_a_circle_is_found() -> None:
    graph = {"a": {"b": ["f"]}, "b": {"c": ["g"]}, "c": {"b": ["h"]}}
    assert circles(graph) == {"b", "c"}


def test_what_is_compiled_for_speed_is_there() -> None:
    """Renaming a unit must not drop it from the list."""
    units = {path.stem for path in CORE.rglob("*.c")}
    assert set(objects.zig.HOT) <= units
