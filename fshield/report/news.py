"""What is new since last week: acts of the last seven days that none of the days before has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from fshield.evidence.touched import Dependency, Touch
from fshield.report.html import Markup, tag
from fshield.report.pieces import badges, cell, kind_of, more, table, weight, what

WEEK_S = 7 * 86400
MAX_ROWS = 100


@dataclass(frozen=True)
class News:
    """What is new.

    Args:
        since: the week's begin, seconds since 1970; 0 if the evidence is too young to tell what is
            new.
        found: dependencies and their new acts, the blocked first.
        undated: the number of kinds of acts without a date.
    """

    since: float
    found: list[tuple[Dependency, Touch]]
    undated: int


def news(dependencies: Iterable[Dependency], first: float, last: float) -> News:
    """What is new in the last week of evidence that begins and ends at these moments."""
    since = last - WEEK_S
    if not first or first >= since:
        return News(0, [], 0)
    found, undated = [], 0
    for dependency in dependencies:
        for touch in dependency.folded:
            undated += not touch.tally.first
            if touch.tally.first > since:
                found.append((dependency, touch))
    found.sort(key=lambda item: (-weight(item[1].tally.done), item[0].label, item[1].act))
    return News(since, found, undated)


def section(made: News, events: int) -> Iterable[Markup]:
    """The section, or the reason why it is missing."""
    if not events:
        return
    head = tag("h2", "New since last week", id="new")
    if not made.since:
        words = (
            "Not known: this evidence is of less than a week. Read an older log with it, or merge"
            " tables with fshield evidence."
        )
        yield tag("section", head, tag("p", words))
        return
    begin = f"{datetime.fromtimestamp(made.since, timezone.utc):%Y-%m-%d %H:%M} UTC"
    undated = (
        tag("p", f"Of {made.undated:,} kinds of acts no event says when.", class_="soft")
        if made.undated
        else ""
    )
    if not made.found:
        yield tag("section", head, tag("p", f"Nothing was done first after {begin}."), undated)
        return
    rows = [
        tag(
            "tr",
            cell(dependency.label),
            cell(kind_of(touch.act)),
            tag("th", tag("code", what(touch.act)), scope="row", role="rowheader"),
            cell(badges(touch.tally.done), order=weight(touch.tally.done)),
            cell(_moment(touch.tally.first), class_="when"),
            role="row",
        )
        for dependency, touch in made.found[:MAX_ROWS]
    ]
    caption = f"{len(made.found):,} kinds of acts that were done first after {begin}"
    heads = ["dependency", "what", "to what", "became", "first (UTC)"]
    yield tag(
        "section",
        head,
        table(caption, heads, rows),
        more(len(made.found) - MAX_ROWS, "rows"),
        undated,
    )


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M}"
