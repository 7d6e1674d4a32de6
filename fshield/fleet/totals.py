"""The totals at the end: a line for one place; for several, a table with a row for each and their
sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from fshield import output
from fshield.errors import CouldNotRun
from fshield.fleet.places import Place, several

_WIDTH = 80
Row = tuple[Place, Mapping[str, int], CouldNotRun | None]


def totals(command: str, rows: Sequence[Row], tail: str = "") -> Iterator[Text]:
    """The lines of the totals.

    Args:
        command: the command whose results are counted.
        rows: for each place, the counts by word, or why there are none.
        tail: a remark about the whole.
    """
    places = [place for place, _, _ in rows]
    whole: Counter[str] = Counter()
    for _, counts, _ in rows:
        whole.update(counts)
    if several(places):
        yield from _table(rows, list(whole))
        for place, _, problem in rows:
            if problem:
                detail = f"{problem.message}; {problem.fix or ''}"
                yield Text.assemble(
                    ("failed  ", "bold red"), (place.label, "bold"), f"  {output.printable(detail)}"
                )
    total = whole.total()
    detail = ", ".join(f"{number} {word}" for word, number in whole.items()) or "nothing"
    of = f"{len(places)} places" if several(places) else places[0].label
    yield Text.assemble(
        (f"{command} {of}", "bold"),
        f"  {total} function{'' if total == 1 else 's'}: {detail}{tail}",
    )


def _table(rows: Sequence[Row], words: Sequence[str]) -> Iterator[Text]:
    """A table with as many columns as fit. The last one is the sum of the others."""
    labels = [place.label for place, _, _ in rows]
    first = max(map(len, labels))
    shown, room = [], _WIDTH - first - len("  functions") - len("  others")
    for word in words:
        room -= len(word) + 2
        if room < 0:
            break
        shown.append(word)
    others = [word for word in words if word not in shown]
    heads = ["functions", *shown, *(["others"] if others else [])]
    yield Text(" " * first + "".join(f"  {head}" for head in heads), "bold")
    for label, (_, counts, problem) in zip(labels, rows, strict=True):
        if problem:
            yield Text.assemble(label.ljust(first), ("  failed", "bold red"))
            continue
        numbers = [sum(counts.values()), *(counts.get(word, 0) for word in shown)]
        if others:
            numbers.append(sum(counts.get(word, 0) for word in others))
        cells = (
            f"  {number or '-':>{len(head)}}" for number, head in zip(numbers, heads, strict=True)
        )
        yield Text(label.ljust(first) + "".join(cells))
