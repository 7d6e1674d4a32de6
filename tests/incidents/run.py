"""Replays the incidents and prints what each policy stops: ``python -m tests.incidents.run
[WORD…]``.

With words, only incidents whose id contains one of them run, and docs/incidents.md is not written.
Exit status 0 only if every act behaves as its header says.
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from tests import support
from tests.incidents.corpus import incidents
from tests.incidents.replay import POLICIES, not_replayed, replay
from tests.incidents.report import document, questions

REPORT = support.ROOT / "docs" / "incidents.md"
QUESTIONS = support.ROOT / "fshield" / "engine" / "incidents.json"


def main(words: list[str]) -> int:
    console = Console()
    chosen = [
        incident
        for incident in incidents()
        if not words or any(word in incident.key for word in words)
    ]
    missing = not_replayed(chosen)
    with console.status(f"replaying {len(chosen)} incidents, six ways"):
        outcomes = replay(chosen)
    shown = Table(box=None, pad_edge=False)
    for column in ("act", *POLICIES):
        shown.add_column(column)
    for outcome in outcomes:
        cells = []
        for policy in POLICIES:
            gone = "undone" if policy in outcome.act.undone else "[green]stopped[/]"
            cells.append("passes" if outcome.seen[policy] else gone)
        shown.add_row(outcome.name, *cells)
    console.print(shown)
    problems = [f"{outcome.name}: {text}" for outcome in outcomes for text in outcome.problems()]
    for line in problems:
        console.print(line, style="red", highlight=False)
    for incident, act, needs in missing:
        console.print(f"not replayed: {incident.key}/{act.name} needs {needs}", style="yellow")
    if not (words or problems):
        REPORT.write_text(document(outcomes, missing))
        QUESTIONS.write_text(questions(chosen))
        console.print(f"wrote {REPORT.relative_to(support.ROOT)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
