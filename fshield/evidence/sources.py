"""Where commands take events from: files, standard input, a CloudWatch log group. Shows a progress
bar if it takes long.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from fshield import output
from fshield.engine import decide as native
from fshield.errors import CouldNotRun, closest, shown
from fshield.evidence.cloudwatch import Connection, Window, since
from fshield.evidence.stream import Counts, EventReader, Record
from fshield.evidence.tables import engine, loggroups, places, rows
from fshield.evidence.tables.batches import is_table
from fshield.language import endpoints

#: A smaller file is read before anybody would look at a progress bar.
_SMALL = 8 << 20
#: One log group's window is asked for in pieces of so many days at most.
_LONGEST = timedelta(days=16)


@dataclass
class Source:
    """What to read.

    Args:
        files: logs; standard input if there are neither files nor a log group.
        group: a CloudWatch log group instead.
        since: how far back in it.
        connection: where it is.
        function: the one function whose events are wanted.
        at_most: USD that reading the log group may cost.
    """

    files: list[str]
    group: str | None = None
    since: str = "7d"
    connection: Connection = field(default_factory=Connection)
    function: str | None = None
    at_most: float = loggroups.AT_MOST_USD

    def __post_init__(self) -> None:
        self._moved: Callable[[int], None] = lambda _size: None
        # The reader exists before the function to report progress to is known.
        self.reader = EventReader(lambda size: self._moved(size))  # noqa: PLW0108
        #: The region of the log group, and so of the functions, after it was read. None for files.
        self.region: str | None = None

    @property
    def counts(self) -> Counts:
        """What the reader met; complete when everything was read."""
        return self.reader.counts

    @contextmanager
    def records(self) -> Iterator[Iterator[Record]]:
        """The records, with a progress bar if stderr is a terminal. Before a log group is read, its
        price is printed.

        Raises:
            CouldNotRun: a source cannot be read.
        """
        if self.group and self.files:
            raise CouldNotRun("files and --log-group at once", "name the one or the other")
        if not self.group and not self.files and sys.stdin.isatty():
            raise CouldNotRun(
                "nothing to read", "name logs, - for standard input, or --log-group NAME"
            )
        with bar(self.group or self._size() > _SMALL) as advance:
            found = self._group(advance) if self.group else self._files(advance)
            yield (
                record
                for record in found
                if not self.function or record.function in ("", self.function)
            )

    def _files(self, advance: Callable[[float], None]) -> Iterator[Record]:
        whole, done = self._size(), 0

        def read(size: int) -> None:
            nonlocal done
            done += size
            advance(done / whole if whole else 0)

        self._moved = read
        if self._is_table():
            return self._table(read)
        return self.reader.files(self.files or ["-"])

    def _is_table(self) -> bool:
        """Whether DuckDB reads the files: wherever it is installed. For tables and S3 it must."""
        if "-" in self.files or not self.files:
            return False
        return engine.available() or any(
            places.is_place(name) or is_table(name) for name in self.files
        )

    def _table(self, read: Callable[[int], None]) -> Iterator[Record]:
        with (
            engine.Table(progress=read) as table,
            places.at_hand(self.files, self.connection) as files,
        ):
            table.read(files, files).finish()
            self.reader.counts = table.counts
            yield from rows.records(table)

    def _size(self) -> int:
        try:
            return sum(Path(name).stat().st_size for name in self.files if name != "-")
        except (OSError, ValueError):
            return 0

    def _group(self, advance: Callable[[float], None]) -> Iterator[Record]:
        """The log group's table, which CloudWatch counts. It needs no DuckDB."""
        assert self.group
        now = datetime.now(timezone.utc)
        window = Window(since(self.since, now), now)
        groups = loggroups.LogGroups(loggroups.Wanted((self.group,)), self.connection, self.at_most)
        self.region = groups.region if groups.region in endpoints.regions() else None
        windows = dict.fromkeys(groups.groups, window)
        price = groups.price(windows)
        output.print_wrapped(price.sentence, output.console(stderr=True))
        groups.check(price.usd)
        length = (window.until - window.since).total_seconds() or 1.0
        found: list[rows.Row] = []
        counting = EventReader(follow=False)
        # Where the price is not known before, it is known after a day.
        longest = loggroups.DAY if price.usd is None else _LONGEST
        for until, some in groups.days(windows, counting, longest):
            found += some
            advance((until - window.since).total_seconds() / length)
        self.reader.counts = counting.counts
        return rows.records(rows.merged(found), self.group)


def facts_of(
    source: Source, named: str | None, option: str | None, environment: list[str] | None
) -> native.Facts:
    """Facts about the function whose events were read.

    Args:
        source: after it was read.
        named: the region that its events name.
        option, environment: ``--region`` and ``--env``.

    Raises:
        CouldNotRun: there is no such region, or something is not a variable.
    """
    where = region_of(option) or named or source.region or native.Facts().region
    return native.facts_of(where, environment or [])


def region_of(option: str | None) -> str | None:
    """`option`, if functions can run in this region. Raises CouldNotRun."""
    if option is None or option in endpoints.regions():
        return option
    guess = closest(option, endpoints.regions())
    raise CouldNotRun(
        f"--region {shown(option)}: botocore {endpoints.DATA_VERSION} knows no such region",
        f"did you mean {guess}?" if guess else "a region's name: eu-central-1",
    )


@contextmanager
def bar(wanted: object) -> Iterator[Callable[[float], None]]:
    """A function that sets a progress bar to a share from 0 to 1. Shows nothing if stderr is not a
    terminal.
    """
    console = output.console(stderr=True)
    if not wanted or not console.is_terminal:
        yield lambda _share: None
        return
    columns = (
        TextColumn("reading"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("reading", total=1.0)
        yield lambda share: progress.update(task, completed=min(1.0, share))


def say_doubts(counts: Counts) -> None:
    """Print on stderr what was skipped or is doubtful."""
    for sentence in counts.sentences():
        output.print_wrapped(f"note: {sentence}", output.console(stderr=True))
