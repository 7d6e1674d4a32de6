"""The status of functions as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from fshield.fleet.places import Place
from fshield.fleet.status import Standing

_COLUMNS = (
    "account",
    "region",
    "function",
    "version",
    "state",
    "engine",
    "policy",
    "mode",
    "next_wrapper",
    "runtime",
    "architecture",
)
#: A spreadsheet takes a cell that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(standings: Iterable[tuple[Place, Standing]], to: TextIO) -> None:
    """A row for each function, under a row of names."""
    writer = csv.writer(to, lineterminator="\n")
    writer.writerow([*_COLUMNS, "notes"])
    for place, each in standings:
        known = {**each.as_dict(), **place.as_dict(), "account": each.function.account}
        cells = [*(known[column] for column in _COLUMNS), "; ".join(each.notes())]
        writer.writerow([_cell(cell) for cell in cells])


def _cell(value: str | None) -> str:
    text = value or ""
    return f"'{text}" if text.startswith(_FORMULA) else text
