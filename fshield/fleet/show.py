"""The output of commands on many functions: a progress bar, one line per function, totals at the
end.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from fshield import output
from fshield.fleet.change import Outcome, Result
from fshield.fleet.exceptions import NONE_KNOWN, Known

#: Seconds between two lines of progress if there is no terminal.
_QUIET_S = 10.0
#: With more functions than this, those that need nothing are only counted.
_FEW = 20
_WORDS = {
    Result.DONE: ("done", "bold green"),
    Result.NOTHING: ("nothing", "dim"),
    Result.WOULD: ("would", "bold cyan"),
    Result.REFUSED: ("refused", "bold yellow"),
    Result.FAILED: ("failed", "bold red"),
    Result.NOT_BEGUN: ("left", "bold yellow"),
}


class Show:
    """The output of one command.

    Args:
        total: how many functions.
        word: the bar's word for what is done to them.
        as_json: only progress, on stderr.
        places: name the place of each function.
    """

    def __init__(self, total: int, word: str, as_json: bool, places: bool = False) -> None:
        self._total = total
        self._word = word
        self._as_json = as_json
        self._places = places
        self._done = 0
        self._out = output.console()
        self._err = output.console(stderr=True)
        # Lines go to stdout. A bar and lines on the same terminal must come from the same console,
        # or they overwrite each other.
        self._bar_on: Console | None = None
        if sys.stderr.isatty():
            self._bar_on = self._out if sys.stdout.isatty() and not as_json else self._err
        self._bar: Progress | None = None
        self._last = time.monotonic()

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Show progress while the body runs."""
        if self._bar_on is None or self._total == 1:
            yield
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
        )
        with Progress(*columns, console=self._bar_on, transient=True) as self._bar:
            self._task = self._bar.add_task(self._word, total=self._total)
            yield
        self._bar = None

    def grow(self, more: int) -> None:
        """Raise the total."""
        self._total += more
        if self._bar:
            self._bar.update(self._task, total=self._total)

    def step(self) -> None:
        """Count one more as done."""
        self._done += 1
        if self._bar:
            self._bar.advance(self._task)
        elif self._bar_on is None and time.monotonic() - self._last > _QUIET_S:
            self._last = time.monotonic()
            self._err.print(f"{self._word}: {self._done} of {self._total}", soft_wrap=True)

    def outcome(self, outcome: Outcome) -> None:
        """Print the line of a function that is done."""
        self.step()
        if not self._as_json and (outcome.result is not Result.NOTHING or self._total <= _FEW):
            for line in lines_of(outcome, self._places):
                self._out.print(line, soft_wrap=True)

    def say(self, sentence: str) -> None:
        """Print a sentence about the whole on stderr."""
        self._err.print(Text(sentence, "bold yellow"), soft_wrap=True)


def lines_of(outcome: Outcome, places: bool = False) -> Iterator[Text]:
    """The lines of one outcome: one line, and in a dry run one more per change."""
    word, style = _WORDS[outcome.result]
    remarks = []
    if outcome.reason:
        remarks.append(f"{outcome.reason}; {outcome.fix}" if outcome.fix else outcome.reason)
    elif outcome.result is Result.DONE and outcome.change:
        remarks.append(outcome.change.short())
    remarks += outcome.notes
    yield Text.assemble(
        (f"{word:8}", style),
        f"{outcome.place.label}  " if places and outcome.place else "",
        (output.printable(outcome.name), "bold"),
        "  ",
        output.printable("; ".join(remarks)),
    )
    if outcome.result is Result.WOULD and outcome.change:
        for line in outcome.change.lines():
            colour = {"+": "green", "-": "red"}.get(line[0], "yellow")
            yield Text(f"          {output.printable(line)}", colour)


def summed(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """The count of each result, without zeros."""
    counts = {result.value: sum(each.result is result for each in outcomes) for result in Result}
    return {word: number for word, number in counts.items() if number}


def is_known(outcome: Outcome, known: Known) -> bool:
    """Whether it is a refusal that the user knows of."""
    return outcome.result is Result.REFUSED and (outcome.name, outcome.kind) in known


def grouped(outcomes: Sequence[Outcome], known: Known) -> list[str]:
    """The refusals by kind, the most frequent first: a line for each."""
    refused = [each for each in outcomes if each.result is Result.REFUSED]
    remarks = []
    for kind, total in Counter(each.kind for each in refused).most_common():
        those = sum(is_known(each, known) for each in refused if each.kind == kind)
        remarks.append(f"{total} refused: {kind}" + (f" ({those} of them known)" if those else ""))
    return remarks


def exit_code(outcomes: Sequence[Outcome], known: Known = NONE_KNOWN, problems: int = 0) -> int:
    """0: every function is as requested (known refusals do not count). 1: some are. 2: none is.

    Args:
        problems: places in which nothing could be done.
    """
    outcomes = [each for each in outcomes if not is_known(each, known)]
    good = sum(each.good for each in outcomes)
    if good == len(outcomes) and not problems:
        return output.FINE
    return output.FINDINGS if good else output.COULD_NOT_RUN
