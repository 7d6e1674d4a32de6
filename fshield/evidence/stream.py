"""Finds the engine's events in logs of any size, in constant memory. Every command that takes logs
uses it.

Logs come as the process wrote them, or wrapped by other tools: with a timestamp and a stream's name
before each line (``aws logs tail``, an export to S3), as JSON strings in JSON (``aws logs
filter-log-events``, ``get-query-results``, subscriptions, records that Firehose joined without line
ends), as text with tabs, as CSV from Logs Insights, packed with gzip. The reader does not
distinguish these formats. In all of them an event begins with the same bytes, escaped or not, and
the reader searches for those. No function here raises, whatever the bytes. Whatever is skipped is
counted, with its reason.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from itertools import chain
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from fshield.errors import CouldNotRun, shown
from fshield.evidence.events import EVENT_VERSION, MAX_LINE, decode, normalised, unreadable

#: A line is read in pieces of at most this many bytes, so that a file without line ends does not
#: fill the memory.
MAX_PIECE = 4 << 20
_CHUNK = 1 << 20
_YEAR_2200 = 7258118400
#: How deep JSON may be nested in strings of JSON: Lambda's own format in a subscription's record
#: makes two.
MAX_WRAPPINGS = 4
#: The output of `fshield invoke --json` is one document, which is read whole up to this size.
MAX_DOCUMENT = 64 << 20
INVOKED = re.compile(rb'\{\s*"ok": (?:true|false),\s*"invocations": \[')
#: Sequence numbers are followed for this many processes. Older ones are forgotten, without a
#: warning.
MAX_PROCESSES = 16384
#: A clock that goes back by less than this did not jump: threads do not write in order.
CLOCK_SLACK_S = 1.0

_WORD = b"function_shield"
# {"function_shield":true as it is; in JSON strings, once to three times; with CSV's doubled quotes.
_BEGIN = re.compile(r'\{\s*(?P<quote>\\{0,15}"|"")function_shield(?P=quote)\s*:\s*true')
_CSV_END = re.compile(r'(?<!")(?:"")*"(?!")')


@dataclass
class Counts:
    """What a reader met. All are counts of items, except `bytes`.

    Args:
        bytes, lines: read, of any kind.
        events: passed on, including those that were cut.
        others: lines without an event: the function's own and the platform's.
        cut: events whose line ends too early.
        too_long: longer than any event of the engine; not passed on.
        not_ours: look like an event but are not; not passed on.
        newer: of a later version of the format; read as far as known.
        repeated: with a `seq` that this process had already: read twice, or forged.
        unnumbered: violations without a sequence number: of PureSec's FunctionShield, or forged.
        missing: gaps in sequence numbers that no line declares as lost: filtered, cut, or removed.
        lost: events that the engine says it could not write.
        clock_back: how often the time went back within a process.
        untimed: events without a readable time.
        unreadable_files: files that ended early: damaged gzip, a disk error.
    """

    bytes: int = 0
    lines: int = 0
    events: int = 0
    others: int = 0
    cut: int = 0
    too_long: int = 0
    not_ours: int = 0
    newer: int = 0
    repeated: int = 0
    unnumbered: int = 0
    missing: int = 0
    lost: int = 0
    clock_back: int = 0
    untimed: int = 0
    unreadable_files: int = 0

    def as_dict(self) -> dict[str, int]:
        """For ``--json``."""
        return asdict(self)

    def sentences(self) -> list[str]:
        """What was skipped or is doubtful, one sentence each."""
        says = [
            (self.cut, "{} cut short, shown as far as they go"),
            (self.too_long, "{} too long for an event, skipped"),
            (self.not_ours, "{} like an event and none, skipped"),
            (self.newer, "{} of a newer version, read as far as known: upgrade fshield"),
            (self.repeated, "{} with a number that was there already: read twice, or forged"),
            (
                self.unnumbered,
                "{} without a process's number: of the old FunctionShield, or forged",
            ),
            (self.missing, "{} missing between others: filtered by level, cut, or taken away"),
            (self.lost, "{} lost before they were written, as the engine says"),
            (self.clock_back, "{} with a clock that went back"),
            (self.untimed, "{} without a time that can be read"),
            (self.unreadable_files, "{} input(s) broke off"),
        ]
        return [text.format(f"{count:,}") for count, text in says if count]


@dataclass(frozen=True)
class Record:
    """An event and where it was found.

    Args:
        event: normalised, see `fshield.evidence.events.normalised`; of kind ``unreadable`` if it
            was cut.
        source: the file, ``-`` for standard input, or the log group.
        line: in the source, from 1.
        time: when it happened, seconds since 1970 UTC; None if the event does not say.
        function: the Lambda function, if the event, its process's ``armed`` or the wrapping names
            it; else "".
        doubt: None, or why the event may not be genuine: ``repeated`` or ``unnumbered`` (see
            `Counts`).
        last: if the record stands for several events, the time of the last; None: the same as
            `time`.
        events: how many events it stands for. The event's ``count`` is their sum.
        process: the random value of the process that numbered the event; "" if it has no number.
    """

    event: dict[str, Any]
    source: str
    line: int
    time: float | None
    function: str
    doubt: str | None
    last: float | None = None
    events: int = 1
    process: str = ""


class Progress(Protocol):
    """Called with the number of bytes that were read."""

    def __call__(self, size: int, /) -> None: ...


@dataclass
class _Process:
    next: int
    time: float
    function: str


class EventReader:
    """Reads events from streams, files and CloudWatch messages. One reader may read several;
    `counts` covers all.

    Args:
        progress: called with the size of each piece that was read; for a compressed file, its
            compressed size.
        follow: follow the sequence numbers of processes. If False, no record is `repeated`, and its
            function is what the event or its wrapping says.
    """

    def __init__(self, progress: Progress | None = None, follow: bool = True) -> None:
        self.counts = Counts()
        self._progress = progress
        self._follows = follow
        self._processes: OrderedDict[str, _Process] = OrderedDict()

    # ---- sources ----

    def files(self, names: Iterable[str]) -> Iterator[Record]:
        """The events of files, one after the other; ``-`` is standard input. Compressed ones
        are decompressed.

        Raises:
            CouldNotRun: one cannot be opened. Files that end early are only counted.
        """
        for name in names:
            yield from self.file(name)

    def file(self, name: str) -> Iterator[Record]:
        """The events of one file; ``-`` is standard input. Raises CouldNotRun where it cannot be
        opened."""
        opened: AbstractContextManager[BinaryIO]
        try:
            opened = (
                nullcontext(sys.stdin.buffer)
                if name == "-"
                else cast(BinaryIO, Path(name).open("rb", buffering=0))  # noqa: SIM115
            )
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            raise CouldNotRun(
                f"{shown(name)}: {reason}", "name a file of events, or - for standard input"
            ) from None
        with opened as stream:
            yield from self.stream(stream, name)

    def stream(self, stream: BinaryIO, source: str = "-") -> Iterator[Record]:
        """The events of an open binary stream, as they arrive: each line is read once it is
        complete.
        """
        number = 0
        pieces = _pieces(self._chunks(stream))
        first = next(pieces, b"")
        events = None
        if INVOKED.match(first):
            first, events = _printed_by_invoke(first, pieces)
        for event in events or ():
            number += 1
            yield from self.line(json.dumps(event), source, number)
        for piece in chain([] if events is not None else [first], pieces):
            # Most lines of a log are not events. Count those at once, not one by one.
            if _WORD not in piece:
                lines = piece.count(b"\n") + (not piece.endswith(b"\n"))
                self.counts.lines += lines
                self.counts.others += lines
                number += lines
                continue
            lines_of_piece = piece.split(b"\n")
            if not lines_of_piece[-1]:
                lines_of_piece.pop()
            for line in lines_of_piece:
                number += 1
                yield from self.line(line, source, number)

    def messages(self, messages: Iterable[Mapping[str, Any]], group: str) -> Iterator[Record]:
        """The events among messages of CloudWatch Logs, as boto3's ``filter_log_events`` and
        ``get_log_events`` have them (a mapping with ``message``); `group` is the log group's
        name."""
        function = function_of_group(group)
        for number, message in enumerate(messages, 1):
            text = message.get("message")
            yield from self.line(text if isinstance(text, str) else "", group, number, function)

    def line(
        self, line: bytes | str, source: str = "-", number: int = 0, function: str = ""
    ) -> Iterator[Record]:
        """The events in one line or message. A wrapping may have joined several."""
        self.counts.lines += 1
        if isinstance(line, str):
            self.counts.bytes += len(line)
            found = "function_shield" in line
        else:
            found = _WORD in line
        # The bytes of a stream are counted when they are read.
        data = line.encode("utf-8", "replace") if isinstance(line, str) else line
        text = data.decode("utf-8", "replace") if found else ""
        any_event = False
        group = function or _group_in(text)
        for event in self._events(text, 0):
            any_event = True
            yield self._record(event, source, number, group)
        if not any_event:
            self.counts.others += 1

    # ---- within a line ----

    def _events(self, text: str, depth: int) -> Iterator[dict[str, Any]]:
        at = 0
        while (begin := _BEGIN.search(text, at)) is not None:
            start, quote = begin.start(), begin["quote"]
            following = _BEGIN.search(text, begin.end())
            limit = start + MAX_LINE * (1 if quote == '"' else len(quote) + 1)
            if quote == '"':
                found = decode(text[start:limit])
                end = len(text) if found is None else start + found[1]
                if found is None:
                    end = following.start() if following else len(text)
                    yield from self._broken(text[start : min(end, limit)], end - start)
                elif found[0].get("function_shield") is True:
                    yield found[0]
                else:
                    self.counts.not_ours += 1
            else:
                inner, end = _unwrapped(text[start:limit], quote)
                end += start
                if depth < MAX_WRAPPINGS and (quote == '""' or len(quote) % 2 == 0):
                    yield from self._events(inner, depth + 1)
                else:
                    self.counts.not_ours += 1
            at = max(end, begin.end())

    def _broken(self, text: str, size: int) -> Iterator[dict[str, Any]]:
        if size > MAX_LINE:
            self.counts.too_long += 1
            return
        self.counts.cut += 1
        yield unreadable(text)

    def _record(self, raw: dict[str, Any], source: str, number: int, function: str) -> Record:
        event = normalised(raw)
        counts = self.counts
        counts.events += 1
        if event["event"] == "unreadable":
            return Record(event, source, number, None, function, None)
        counts.newer += event["event_version"] > EVENT_VERSION
        counts.lost += event.get("lost") or 0
        time = seconds(event.get("timestamp") or "")
        counts.untimed += time is None
        doubt, process = None, ""
        nonce, seq = event.get("nonce"), raw.get("seq")
        function = event.get("function") or function
        if nonce and type(seq) is int:
            process = nonce
            if self._follows:
                doubt, function = self._follow(nonce, event, time, function)
        elif event["event"] in ("violation", "allowed"):
            doubt = "unnumbered"
            counts.unnumbered += 1
        return Record(event, source, number, time, function, doubt, process=process)

    def _follow(
        self, nonce: str, event: dict[str, Any], time: float | None, function: str
    ) -> tuple[str | None, str]:
        """The doubt about a sequence number (None if it is the next), and the process's
        function.
        """
        counts, seq = self.counts, event["seq"]
        process = self._processes.get(nonce)
        if process is None:
            # A log may begin in the middle of a process's life, and a forked child is not
            # announced.
            self._processes[nonce] = _Process(seq + 1, time or 0.0, function)
            if len(self._processes) > MAX_PROCESSES:
                self._processes.popitem(last=False)
            return None, function
        self._processes.move_to_end(nonce)
        process.function = process.function or function
        if time is not None:
            counts.clock_back += time < process.time - CLOCK_SLACK_S
            process.time = time
        if seq < process.next:
            counts.repeated += 1
            return "repeated", process.function
        counts.missing += max(0, seq - process.next - (event.get("lost") or 0))
        process.next = seq + 1
        return None, process.function

    def _chunks(self, stream: BinaryIO) -> Iterator[bytes]:
        """The stream's content, decompressed if it is gzip (several members too)."""
        # read1, because a pipe then returns what it has: `tail` must not wait for a megabyte.
        take = getattr(stream, "read1", stream.read)
        unpack: Any = None
        first = True
        try:
            while chunk := take(_CHUNK):
                if self._progress:
                    self._progress(len(chunk))
                if first:
                    unpack = zlib.decompressobj(31) if chunk[:2] == b"\x1f\x8b" else None
                    first = False
                while unpack is not None and chunk:
                    if unpack.eof:
                        unpack = zlib.decompressobj(31)
                    part = unpack.decompress(chunk, _CHUNK)
                    self.counts.bytes += len(part)
                    if part:
                        yield part
                    chunk = unpack.unconsumed_tail or (unpack.unused_data if unpack.eof else b"")
                if unpack is None:
                    self.counts.bytes += len(chunk)
                    yield chunk
            if unpack is not None and not unpack.eof:
                self.counts.unreadable_files += 1
        except (OSError, zlib.error):
            self.counts.unreadable_files += 1


def read(names: Sequence[str], progress: Progress | None = None) -> tuple[Iterator[Record], Counts]:
    """The events of files (``-``: standard input), and the counts, which are complete once the
    iterator has ended.
    """
    reader = EventReader(progress)
    return reader.files(names or ["-"]), reader.counts


def seconds(timestamp: str) -> float | None:
    """An RFC 3339 timestamp as seconds since 1970. None if it is not one, or is before 1970 or
    after 2199.
    """
    if not timestamp.isascii() or not 19 <= len(timestamp) <= 40 or timestamp[4] != "-":
        return None
    text = timestamp[:-1] + "+00:00" if timestamp[-1] in "zZ" else timestamp
    try:
        when = datetime.fromisoformat(text)
        value = (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None
    return value if 0 <= value < _YEAR_2200 else None


def function_of_group(group: str) -> str:
    """The Lambda function whose default log group this is; else ""."""
    _, found, name = group.partition("/aws/lambda/")
    return name if found else ""


_GROUP = re.compile(r'\\{0,7}"logGroup\\{0,7}"\s*:\s*\\{0,7}"/aws/lambda/([A-Za-z0-9_-]{1,140})')


def _group_in(text: str) -> str:
    """The function that a subscription's record names."""
    found = _GROUP.search(text) if "logGroup" in text else None
    return found[1] if found else ""


def _printed_by_invoke(
    first: bytes, pieces: Iterator[bytes]
) -> tuple[bytes, list[dict[str, Any]] | None]:
    """The events in the output of ``fshield invoke --json``; None if it is not complete.

    Returns:
        `first` and what was read of `pieces`; and the events.
    """
    text = bytearray(first)
    for piece in pieces:
        text += piece
        if len(text) > MAX_DOCUMENT:
            return bytes(text), None
    try:
        document = json.loads(text)
        found = [*document["invocations"], *([document["rest"]] if document.get("rest") else [])]
        return bytes(text), [event for each in found for event in each["events"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return bytes(text), None


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The stream in pieces of whole lines, each at most `MAX_PIECE` plus a chunk long."""
    rest = bytearray()
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            yield bytes(rest) + chunk[:end]
            rest = bytearray(chunk[end:])
        else:
            rest += chunk
        if len(rest) > MAX_PIECE:
            # A line this long is many records joined: one that begins at its end may continue in
            # the next piece.
            cut = _before_last_event(rest)
            yield bytes(rest[:cut])
            rest = rest[cut:]
    if rest:
        yield bytes(rest)


def _before_last_event(piece: bytearray) -> int:
    """The beginning of the last event, or of what may be one: only its first bytes may be in the
    piece.
    """
    word = piece.rfind(_WORD, max(0, len(piece) - 8 * MAX_LINE))
    start = piece.rfind(b"{", 0, word) if word >= 0 else -1
    start = start if start > 0 else piece.rfind(b"{", len(piece) - 64)
    return start if start > 0 else len(piece)


def _unwrapped(text: str, quote: str) -> tuple[str, int]:
    """The content of a string without one layer of escapes, and its end in `text`."""
    if quote == '""':
        closing = _CSV_END.search(text)
        inside = text[: closing.end() - 1] if closing else text
        return inside.replace('""', '"'), len(inside)
    try:
        inside, after = scanstring(text, 0, False)
        return inside, after
    except ValueError:
        pass
    # The string was cut: take it up to the last complete escape.
    cut = text.rstrip("\\")
    for length in (len(cut), len(cut) - 1, cut.rfind("\\")):
        try:
            return scanstring(cut[: max(length, 0)] + '"', 0, False)[0], len(text)
        except ValueError:
            continue
    return "", len(text)
