"""Writes the lists in docs/how-it-works.md."""

from __future__ import annotations

from tests.core.visits.acts import ACTS, Act, visits
from tests.core.visits.symbols import Function
from tests.support import ROOT

PAGE = ROOT / "docs" / "how-it-works.md"
EVENTS = "layer/core/events/"
BEGIN, END = "<!-- visits -->\n", "<!-- end of visits -->\n"


def shown(act: Act, found: list[Function]) -> str:
    """One list: each file, and the function through which the act enters it."""
    files = [f"1. {place(function.file)}: `{function.name}`" for function in found]
    event = [at for at, function in enumerate(found) if function.file.startswith(EVENTS)]
    count = f"{len(found)} files"
    if event:
        count += f": {event[0]} up to the verdict, {len(found) - event[0]} for the event"
    return "\n".join([f"**{act.title}** ({count}):", "", *files, ""])


def place(file: str) -> str:
    """The file's name on the page."""
    if file.endswith(".gen.h"):
        return "`interpose/doors.table`, by a generated door"
    return f"`{file.removeprefix('layer/core/')}`"


def section(found: dict[str, list[Function]]) -> str:
    """The text between the marks."""
    return (
        "\n" + "\n".join(shown(ACTS[name], functions) for name, functions in found.items()) + "\n"
    )


def on_the_page() -> str:
    return PAGE.read_text().partition(BEGIN)[2].partition(END)[0]


def write() -> None:
    """Put the lists of a fresh run on the page."""
    found = {name: visits(act) for name, act in ACTS.items()}
    before, mark, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(before + mark + section(found) + END + rest.partition(END)[2])
