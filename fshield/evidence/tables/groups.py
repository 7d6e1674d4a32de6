"""Rows of a table from groups of lines, which CloudWatch or Athena made.

An engine that is far away cannot give back every line. It gives groups: lines of one process with
one template (see `fshield.evidence.tables.apart`) and one object, with their number, the first and
last moment, and what is needed to know their numbers. Lines that it cannot take apart come as they
are. So these engines have no opinion on JSON either: `templates` and the reader of events say what
lines mean.

A group is taken as a whole where that is surely right. Where a process's numbers may have been used
twice, or its lines do not agree on what it is, its lines are asked for one by one.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right, insort
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from fshield.evidence.events import decode, normalised
from fshield.evidence.stream import Counts, EventReader, Record, function_of_group, seconds
from fshield.evidence.tables import apart
from fshield.evidence.tables.rows import Row, Stamp, merged, row_of
from fshield.evidence.tables.templates import meaning

#: Processes that are remembered from one answer to the next.
MAX_PROCESSES = 1 << 18
_TEMPLATES = 1 << 14
_DETAILS = re.compile(apart.DETAILS)


@dataclass(frozen=True, slots=True)
class Place:
    """Where lines lie: an account, a region, a log group (or "")."""

    account: str = ""
    region: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of one process that differ in nothing but their moment, number, message and request.

    Args:
        place: where they lie.
        template, details: as `fshield.evidence.tables.apart` takes lines apart.
        nonce: the process's.
        first, last: moments, as the engine writes them.
        events: how many lines.
        low, high, distinct, total, squares: of their numbers: the lowest, the highest, how many
            different ones, their sum, the sum of their squares.
        request: the id of one request, the first in the order of text.
    """

    place: Place
    template: str
    details: str
    nonce: str
    first: str
    last: str
    events: int
    low: int
    high: int
    distinct: int
    total: int
    squares: int
    request: str = ""


@dataclass(frozen=True, slots=True)
class Loose:
    """A line as it is.

    Args:
        place: where it lies.
        text: the line.
        at: when the log got it, as anything that grows; where the log does not say, its text.
        copies: how many lines there are like it.
    """

    place: Place
    text: str
    at: int | str = 0
    copies: int = 1


@dataclass(slots=True)
class _Entry:
    """A group or a record, with the process's numbers that it stands for."""

    row: Row
    low: int
    high: int
    at: int | str = 0
    copies: int = 1


@dataclass(slots=True)
class _Process:
    """What is known of a process. `runs` are the stretches of numbers that were met, in order."""

    runs: list[tuple[int, int]] = field(default_factory=list)
    next: int | None = None
    function: str = ""
    facts: tuple[str, str] | None = None

    def has(self, low: int, high: int) -> bool:
        """Whether one of these numbers was met."""
        at = bisect_right(self.runs, (high, high + 1))
        return any(
            begin <= high and low <= end for begin, end in self.runs[max(0, at - 1) : at + 1]
        )

    def meet(self, low: int, high: int) -> None:
        """Take numbers that were not met before."""
        at = bisect_right(self.runs, (low, high))
        if at < len(self.runs) and self.runs[at][0] == high + 1:
            high = self.runs.pop(at)[1]
        if at and self.runs[at - 1][1] == low - 1:
            low = self.runs.pop(at - 1)[0]
        insort(self.runs, (low, high))


class Fold:
    """Makes rows of answers, one answer after the other.

    Within an answer the lines of a process are taken in the order of their numbers: logs that are
    far away keep no finer order than a millisecond's.

    Args:
        reader: reads lines that come as they are, and counts what is met.
    """

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader
        self._processes: OrderedDict[str, _Process] = OrderedDict()
        self._meanings: dict[str, Row | None] = {}

    @property
    def counts(self) -> Counts:
        """What was met, as the reader of events counts it."""
        return self._reader.counts

    def rows(
        self,
        groups: Iterable[Group],
        loose: Iterable[Loose],
        lines_of: Callable[[set[str]], Iterable[Loose]],
    ) -> list[Row]:
        """The rows of one answer.

        Args:
            groups, loose: the answer.
            lines_of: gives the lines, as they are, that the groups of these processes are made of.
        """
        found: list[Row] = []
        exact: defaultdict[str, list[_Entry]] = defaultdict(list)
        for entry, process in self._entries(loose):
            exact[process].append(entry)
        known: defaultdict[str, list[Group]] = defaultdict(list)
        for group in groups:
            known[group.nonce].append(group)
        whole: dict[str, list[_Entry]] = {}
        doubtful: set[str] = set()
        for nonce, of_process in known.items():
            entries = self._sure(nonce, of_process, exact[nonce])
            if entries is None:
                doubtful.add(nonce)
            else:
                whole[nonce] = entries
        asked: set[str] = set()
        while asking := doubtful - asked:
            asked |= asking
            for entry, process in self._entries(lines_of(asking)):
                exact[process].append(entry)
                # A line may say another process than it ends with.
                if whole.pop(process, None):
                    doubtful.add(process)
        for entry in exact.pop("", ()):
            found.append(_times(entry.row, entry.copies))
        for nonce in sorted(exact.keys() | whole.keys()):
            if nonce in whole:
                self._count(known[nonce])
            found += self._followed(nonce, whole.get(nonce), exact.get(nonce, []))
        return merged(found)

    def _entries(self, lines: Iterable[Loose]) -> Iterator[tuple[_Entry, str]]:
        """The events in lines, each with its process's random value, or ""."""
        for line in _together(lines):
            before = asdict(self.counts) if line.copies > 1 else {}
            function = function_of_group(line.place.group)
            records = list(self._reader.line(line.text, line.place.group, 0, function))
            for name, value in before.items():
                more = (getattr(self.counts, name) - value) * (line.copies - 1)
                setattr(self.counts, name, getattr(self.counts, name) + more)
            for record in records:
                yield _entry(record, line), record.process

    def _count(self, groups: list[Group]) -> None:
        events = sum(group.events for group in groups)
        self.counts.lines += events
        self.counts.events += events

    def _sure(self, nonce: str, groups: list[Group], exact: list[_Entry]) -> list[_Entry] | None:
        """All entries of a process, where every number in them was met once, and never before, and
        where their order does not matter; else None."""
        entries = list(exact)
        for group in groups:
            row = self._row(group)
            if row is None or group.distinct != group.events:
                return None
            entries.append(_Entry(row, group.low, group.high))
        if any(entry.copies > 1 for entry in entries) or not _once(groups, entries):
            return None
        process = self._processes.get(nonce, _Process())
        low = min(entry.low for entry in entries)
        if process.has(low, max(entry.high for entry in entries)):
            return None
        armed = [entry for entry in entries if entry.row.key.event == "armed"]
        if process.facts is None and armed and (len(armed) > 1 or armed[0].low != low):
            return None
        if not process.function and len({entry.row.key.function for entry in entries}) > 1:
            first = min(entries, key=lambda entry: entry.low)
            if not first.row.key.function or first.low != first.high:
                return None
        return entries

    def _row(self, group: Group) -> Row | None:
        """What a group means, less what its process says; None where its lines must be read."""
        if group.template not in self._meanings:
            if len(self._meanings) >= _TEMPLATES:
                self._meanings.clear()
            self._meanings[group.template] = meaning(group.template)
        row = self._meanings[group.template]
        details: dict[str, Any] = {}
        if group.details:
            found = decode(group.details, whole=True)
            if found is None or not _DETAILS.fullmatch(group.details):
                return None
            details = normalised({"event": "violation", "details": found[0]})["details"]
        first, last = (seconds(moment) for moment in (group.first, group.last))
        if row is None or first is None or last is None:
            return None
        key = row.key._replace(
            account=row.key.account or group.place.account,
            region=row.key.region or group.place.region,
            function=row.key.function or function_of_group(group.place.group),
            verb=details.get("operation") or "",
            host=details.get("host") or "",
            ip=details.get("ip") or "",
            port=details.get("port") or 0,
            protocol=details.get("protocol") or "",
            path=details.get("path") or "",
            other_path=details.get("to") or "",
        )
        return Row(
            key,
            round(first * 1e6),
            round(last * 1e6),
            row.times * group.events,
            group.events,
            0,
            group.request,
        )

    def _followed(
        self, nonce: str, sure: list[_Entry] | None, exact: list[_Entry]
    ) -> Iterator[Row]:
        """The rows of a process's entries, with what the process says: see
        `fshield.evidence.stream.EventReader`."""
        process = self._processes.setdefault(nonce, _Process())
        self._processes.move_to_end(nonce)
        if len(self._processes) > MAX_PROCESSES:
            self._processes.popitem(last=False)
        entries = exact if sure is None else sure
        for entry in sorted(entries, key=_by_number):
            row, again = entry.row, entry.copies
            if row.key.event == "armed" and process.facts is None:
                process.facts = (row.key.runtime, row.key.policy_sha256)
            runtime, sha256 = process.facts or ("", "")
            process.function = process.function or row.key.function
            key = row.key._replace(
                runtime=row.key.runtime or runtime,
                policy_sha256=row.key.policy_sha256 or sha256,
                function=process.function,
            )
            if sure is not None or not process.has(entry.low, entry.high):
                again -= 1
                if sure is None:
                    self._meet(process, entry.low, entry.high, row.lost)
                yield replace(row, key=key)
            if again:
                self.counts.repeated += again
                yield replace(_times(row, again), key=key._replace(doubt="repeated"))
        if sure is not None:
            lost = {entry.low: entry.row.lost for entry in sure}
            for low, high in _stretches(sure):
                self._meet(process, low, high, lost[low])

    def _meet(self, process: _Process, low: int, high: int, lost: int) -> None:
        if process.next is not None:
            self.counts.missing += max(0, low - process.next - lost)
        process.next = max(process.next or 0, high + 1)
        process.meet(low, high)


def _by_number(entry: _Entry) -> tuple[int, Any]:
    return entry.low, entry.at


def _together(lines: Iterable[Loose]) -> Iterator[Loose]:
    """Lines that are alike as one, at the moment of the first."""
    alike: dict[tuple[Place, str], list[Any]] = {}
    for line in lines:
        known = alike.setdefault((line.place, line.text), [line.at, 0])
        known[0] = min(known[0], line.at)
        known[1] += line.copies
    return (Loose(*key, at, copies) for key, (at, copies) in alike.items())


def _entry(record: Record, line: Loose) -> _Entry:
    place = line.place
    row = row_of(record, "", "", Stamp(place.account, place.region))
    number = record.event["seq"] if record.process else 0
    return _Entry(row, number, number, line.at, line.copies)


def _once(groups: list[Group], entries: list[_Entry]) -> bool:
    """Whether no number is in two entries, none of which has one twice."""
    low, high = min(entry.low for entry in entries), max(entry.high for entry in entries)
    alone = entries[: len(entries) - len(groups)]
    count = sum(group.events for group in groups) + len(alone)
    if count == high - low + 1:
        # All numbers from the lowest to the highest, if they add up as those do.
        total = sum(group.total for group in groups) + sum(entry.low for entry in alone)
        squares = sum(group.squares for group in groups) + sum(entry.low**2 for entry in alone)
        return total == _sum(high) - _sum(low - 1) and squares == _square(high) - _square(low - 1)
    # Some are missing. Where each entry is a stretch without holes, these may not overlap.
    if any(group.high - group.low + 1 != group.events for group in groups):
        return False
    ordered = sorted((entry.low, entry.high) for entry in entries)
    return all(one[1] < two[0] for one, two in itertools.pairwise(ordered))


def _stretches(entries: list[_Entry]) -> list[tuple[int, int]]:
    """The numbers of entries that are sure, joined where they overlap: see `_once`."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted((entry.low, entry.high) for entry in entries):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _sum(number: int) -> int:
    return number * (number + 1) // 2


def _square(number: int) -> int:
    return number * (number + 1) * (2 * number + 1) // 6


def _times(row: Row, number: int) -> Row:
    """`number` rows like `row`, as one."""
    return replace(
        row, times=row.times * number, events=row.events * number, lost=row.lost * number
    )
