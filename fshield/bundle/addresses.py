"""Finds compiled modules that read or write at an address given by Python code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath

# The traces of such a call in a file. All of them must be there.
_TRACES = (
    (
        (b"View.MemoryView", b"allocate_buffer"),
        "Cython's array class, which gives a view of all memory (allocate_buffer=False)",
    ),
    (
        (b"SwigPyObject", b"swig_runtime_data"),
        "SWIG's objects, which Python code can free twice (disown)",
    ),
    ((b"MEM:::", b"DATAPOINTER"), "GDAL's MEM driver, which opens an address (DATAPOINTER)"),
)
# Folders that contain packages, in a function's package or a layer.
_ABOVE = {"python", "lib", "site-packages"}


@dataclass(frozen=True)
class Taker:
    """The calls by which one module takes an address.

    Attributes:
        refused: ``native_code: block`` refuses to import it.
        calls: the calls, in words.
    """

    refused: bool
    calls: str


@cache
def _table() -> list[tuple[str, Taker]]:
    found = []
    for line in Path(__file__).with_name("address_takers.tsv").read_text().splitlines()[1:]:
        if not line.startswith("#") and not line.startswith("module\t"):
            module, word, calls = line.split("\t")
            found.append((module, Taker(word == "refused", calls)))
    return found


def module_of(name: PurePosixPath) -> str:
    """The path of a compiled module as Python imports it: ``lxml/etree``."""
    parts = list(name.parts)
    while len(parts) > 1 and (parts[0] in _ABOVE or parts[0].startswith("python3.")):
        parts.pop(0)
    return "/".join((*parts[:-1], parts[-1].split(".")[0]))


def takers(name: PurePosixPath, data: bytes) -> Iterator[Taker]:
    """The calls by which the library ``name`` takes an address, found by its name and its
    content.
    """
    module = module_of(name)
    for pattern, taker in _table():
        if fnmatchcase(module, pattern):
            yield taker
    for traces, calls in _TRACES:
        if all(trace in data for trace in traces):
            yield Taker(False, calls)
