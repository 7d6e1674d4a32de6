"""The page as rows, for spreadsheets: one for each act of each function."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timezone

from fshield.evidence.events import harmless
from fshield.evidence.touched import Place, Touch, Touched, gather, label_of, owner
from fshield.report.fleet import touches
from fshield.report.pieces import what

COLUMNS = (
    "account",
    "region",
    "function",
    "dependency",
    "own",
    "rule",
    "what",
    "blocked",
    "reported",
    "allowed",
    "first",
    "last",
    "asked_by",
    "where",
)
#: Spreadsheets read a cell that begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows(evidence: Touched) -> Iterator[tuple[Place, Touch]]:
    """Acts by function. Acts without a function come last, under a place without a name."""
    named: dict[object, int] = {}
    for place, inside in evidence.places().items():
        for key, tally in inside.by.items():
            named[key] = named.get(key, 0) + tally.done.total()
        for touch in touches(evidence, inside):
            yield place, touch
    rest = [
        Touch(act, tally, evidence.packages.of(chain))
        for (chain, act), tally in evidence.by.items()
        if not named.get((chain, act))
    ]
    for touch in gather(rest):
        yield Place(""), touch


def as_csv(evidence: Touched) -> str:
    """The rows under a row of names."""
    to = io.StringIO()
    writer = csv.writer(to, lineterminator="\n")
    writer.writerow(COLUMNS)
    for place, touch in rows(evidence):
        name, own = owner(touch.caller)
        done = touch.tally.done
        cells = (
            place.account,
            place.region,
            place.function,
            label_of(evidence, name),
            "yes" if own else "no",
            touch.act.rule,
            what(touch.act),
            *(str(done[mode]) for mode in ("block", "alert", "allow")),
            _moment(touch.tally.first),
            _moment(touch.tally.last),
            touch.caller.words,
            touch.tally.where,
        )
        writer.writerow([_cell(cell) for cell in cells])
    return to.getvalue()


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%dT%H:%M:%SZ}" if at else ""


def _cell(text: str) -> str:
    text = harmless(text)
    return f"'{text}" if text.startswith(_FORMULA) else text
