"""Reads batches of a log's files, one after the other, by one connection to DuckDB.

Several lanes read at once, each on one processor: DuckDB keeps the order of lines on one only.
They share what templates mean, and the states of processes, which they hand on in the order of
the batches. See `fshield.evidence.tables.apart` for how a line is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Event, RLock
from typing import TYPE_CHECKING, Any

from fshield.evidence.stream import EventReader, Record
from fshield.evidence.tables import follow, kinds, lines
from fshield.evidence.tables.batches import PACKED, Batch
from fshield.evidence.tables.rows import COLUMNS, Key, Row, row_of
from fshield.evidence.tables.templates import meaning

if TYPE_CHECKING:
    import duckdb

ROWS = 5000
#: What so many kinds of lines have in common is kept from batch to batch, where it is not longer.
_KINDS = 1 << 14
_LONG = 1 << 12
#: So many of the first lines of a large log are read, to learn their kinds before.
_SAMPLE = 2000
# Tables of a batch, where the reader makes them: see `ACTS` and `TAKEN` of the SQL.
_ACTS = "id BIGINT, template INTEGER, details VARCHAR, event VARCHAR, function VARCHAR"
_CUT = (
    "number BIGINT, act BIGINT, common VARCHAR, happened BIGINT, request VARCHAR, process VARCHAR,"
    " seq BIGINT, lost BIGINT"
)
_TAKEN = (
    "ord BIGINT, act BIGINT, happened BIGINT, request VARCHAR, process VARCHAR, seq BIGINT,"
    " lost BIGINT, function VARCHAR, facts INTEGER"
)
#: Templates that mean nothing by themselves. A log with more of them was not written by the engine,
#: and is read line by line.
_REFUSED = 500
_BLANK = Key(event="?")
_OBJECT = ("verb", "host", "ip", "port", "protocol", "path", "other_path")
_WORDS = {"verb": "operation", "other_path": "to"}


def prepare(to: duckdb.DuckDBPyConnection) -> None:
    """Make the tables that lanes share."""
    wanted = ", ".join(
        f"{name} {COLUMNS[name]}" for name in Key._fields if name not in (*_OBJECT, "doubt")
    )
    parts = ", ".join(f"{name} {COLUMNS[name]}" for name in _OBJECT)
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    for statement in (
        "SET preserve_insertion_order = true",
        f"CREATE TABLE templates (id INTEGER, text VARCHAR, times BIGINT, {wanted})",
        "CREATE TABLE processes (nonce VARCHAR, seq BIGINT, happened BIGINT, function VARCHAR,"
        " facts INTEGER)",
        "CREATE TABLE parts (template INTEGER, function VARCHAR, facts INTEGER, doubt VARCHAR,"
        " timely BIGINT, named VARCHAR, first_seen BIGINT, last_seen BIGINT, events BIGINT,"
        f" lost HUGEINT, request VARCHAR, {parts})",
        f"CREATE TABLE whole ({columns})",
    ):
        to.execute(statement)


def number(to: duckdb.DuckDBPyConnection, statement: str) -> int:
    """The number that a statement answers."""
    found = to.execute(statement).fetchone()
    return int(found[0]) if found else 0


def insert(to: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    """Add rows that Python made to a table of the connection."""
    if not rows:
        return
    columns = to.execute(f"DESCRIBE {table}").fetchall()
    # DuckDB takes a list for each column in half the time of a list of rows.
    lists = ", ".join(f"unnest(?::{kind}[])" for _, kind, *_ in columns)
    for at in range(0, len(rows), ROWS):
        some = rows[at : at + ROWS]
        to.execute(
            f"INSERT INTO {table} SELECT {lists}",
            [[row[name] for row in some] for name, *_ in columns],
        )


@dataclass
class Shared:
    """What lanes share. What one changes, it changes under `lock`.

    Args:
        reader: of what SQL cannot read. SQL follows the numbers of processes.
        templates: how many there are.
        refused: those that mean nothing by themselves.
        wrapped: lines are looked for in others.
    """

    reader: EventReader = field(default_factory=lambda: EventReader(follow=False))
    lock: AbstractContextManager[Any] = field(default_factory=RLock)
    templates: int = 0
    refused: set[str] = field(default_factory=set)
    wrapped: bool = False


@dataclass
class Turn:
    """A batch's turn to go on with the states of processes, which the batch before it leaves."""

    before: Event | None = None
    over: Event = field(default_factory=Event)

    def wait(self) -> None:
        """Until the batch before this one has left its states."""
        if self.before is not None:
            self.before.wait()


class Lane:
    """One connection, and the kinds of lines that it knows.

    Args:
        to: the connection.
        shared: see `Shared`.
    """

    def __init__(self, to: duckdb.DuckDBPyConnection, shared: Shared) -> None:
        self._to = to
        self._shared = shared
        self._turn = Turn()
        #: Whether kinds of lines were learnt. Until then lines are only stored.
        self.known = False
        # What stands on the right of a join is the smaller side: lines are never held.
        to.execute("SET disabled_optimizers = 'build_side_probe_side'")
        to.execute(
            f"CREATE TEMP TABLE kinds ({_ACTS}, common VARCHAR, shape VARCHAR, body VARCHAR,"
            " origin VARCHAR)"
        )

    def beside(self) -> Lane:
        """Another lane, that knows what this one knows."""
        lane = Lane(self._to.cursor(), self._shared)
        if self.known:
            self._to.execute("CREATE TABLE learnt AS SELECT * FROM kinds")
            lane._to.execute("INSERT INTO kinds SELECT * FROM learnt")
            self._to.execute("DROP TABLE learnt")
            lane.known = True
        return lane

    def close(self) -> None:
        """The connection ends. Its tables of a batch are gone with it."""
        self._to.close()

    def read(self, batch: Batch, turn: Turn) -> None:
        """Take the events of a batch, and leave the states of its processes to the next one."""
        self._turn = turn
        try:
            if batch.kind in PACKED and self._take(batch):
                return
            # Files of a batch that is read in parts leave their states to each other.
            turn.wait()
            self._turn = Turn()
            for name in batch.files:
                one = Batch([name], batch.kind, long=True)
                if batch.kind not in PACKED or not self._take(one):
                    self._one_by_one(name)
        finally:
            turn.over.set()

    def learn_kinds(self, batch: Batch) -> None:
        """Remember what the first lines of a large batch have in common."""
        import duckdb  # noqa: PLC0415

        try:
            # Most lines need not be cut: what they have in common is between the same marks as in
            # lines of known kinds.
            self.known = True
            self._place(Batch(batch.files[:1], batch.kind, limit=_SAMPLE))
            if self._take_apart():
                self._remember()
        except duckdb.Error:
            pass

    def _take(self, batch: Batch) -> bool:
        """Read files by SQL. False: nothing was taken, because one of them is not lines of text."""
        import duckdb  # noqa: PLC0415

        try:
            self._place(batch)
            if not self._take_apart():
                self._drop("placed", "cut", "alike")
                return False
            self._make("found", kinds.FOUND)
            self._remember()
            if batch.known and any(map(self._number, (kinds.STRANGE, kinds.NAMING))):
                batch.careful = True
                return self._take(batch)
            if left := self._number(kinds.LEFT):
                self._make("left_over", kinds.LEFT_OVER)
            loose = bool(left) or not batch.known
            if loose:
                self._make("taken", kinds.TAKEN)
            taken = self._number("SELECT count(*) FROM placed") - left
            lost = self._number("SELECT coalesce(sum(lost), 0) FROM found")
        except duckdb.Error:
            return False
        with self._shared.lock:
            counts = self._shared.reader.counts
            counts.events += taken
            counts.lines += taken
            counts.lost += lost
            if left:
                self._add(self._left_over(batch.files))
                self._drop("left_over")
        self._finish_batch(loose)
        self._drop("placed", "cut", "alike", "found")
        return True

    def _take_apart(self) -> bool:
        """Have the acts of the lines in `placed`. False: too many mean nothing by themselves."""
        if self._to.execute(f"{kinds.TO_CUT} LIMIT 1").fetchone():
            self._make("cut", kinds.CUT)
        else:
            self._to.execute(f"CREATE OR REPLACE TEMP TABLE cut ({_CUT})")
        self._make("alike", kinds.ALIKE)
        if not self._learn_templates():
            return False
        self._make("acts", kinds.ACTS)
        return True

    def _place(self, batch: Batch) -> None:
        """Have the lines of a batch in the table `placed`."""
        shared = self._shared
        batch.wrapped, batch.known = shared.wrapped, self.known and not batch.careful
        self._make("placed", batch.lines)
        if not batch.wrapped and self._to.execute(lines.ANY_WRAPPED).fetchone():
            shared.wrapped = batch.wrapped = True
            self._make("placed", batch.lines)

    def _remember(self) -> None:
        """Keep for the next batch what many lines have in common."""
        kept = self._number("SELECT count(*) FROM kinds")
        if kept + self._number("SELECT count(*) FROM alike WHERE len(numbers) > 1") > _KINDS:
            self._to.execute("DELETE FROM kinds")
        self._to.execute(f"INSERT INTO kinds {kinds.KINDS} LIMIT {_KINDS}", [_LONG])
        self.known = True

    def _make(self, table: str, query: str) -> None:
        """A table of one batch: in memory, and in the folder where it is too large."""
        self._to.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")

    def _drop(self, *tables: str) -> None:
        for table in tables:
            self._to.execute(f"DROP TABLE {table}")

    def _number(self, statement: str) -> int:
        return number(self._to, statement)

    def _learn_templates(self) -> bool:
        """Ask the reader what new templates mean. Lines of those that it refuses must be read one
        by one. False: it refused too many."""
        shared = self._shared
        with shared.lock:
            found = self._to.execute(
                "SELECT DISTINCT template FROM alike WHERE template"
                " NOT IN (SELECT text FROM templates WHERE text IS NOT NULL)"
            ).fetchall()
            known, most = [], max(_REFUSED, len(shared.refused))
            for (text,) in found:
                row = None if text in shared.refused else meaning(text)
                if row is not None:
                    known.append(self._template(row, text))
                    continue
                shared.refused.add(text)
                if len(shared.refused) > most:
                    break
            insert(self._to, "templates", known)
            return len(shared.refused) <= most

    def _template(self, row: Row, text: str | None) -> dict[str, Any]:
        self._shared.templates += 1
        key = row.key._asdict()
        key["stack"] = list(row.key.stack)
        for name in (*_OBJECT, "doubt"):
            del key[name]
        return {"id": self._shared.templates, "text": text, "times": row.times, **key}

    def _left_over(self, files: list[str]) -> Iterator[tuple[int, Record]]:
        """The events of lines that SQL could not take apart."""
        source = files[0] if len(files) == 1 else ""
        for at in range(0, self._number("SELECT count(*) FROM left_over"), ROWS):
            lines = self._to.execute(
                "SELECT number, line, logged FROM left_over WHERE rowid >= ? AND rowid < ?"
                " ORDER BY rowid",
                [at, at + ROWS],
            ).fetchall()
            for line_number, line, function in lines:
                records = self._shared.reader.line(line, source, line_number, function)
                for place, record in enumerate(records):
                    yield ((line_number + 1) << 20) + place, record

    def _one_by_one(self, name: str) -> None:
        """Read a file without SQL: what is not lines of text, or breaks off."""
        for table, columns in (("acts", _ACTS), ("taken", _TAKEN)):
            self._to.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({columns})")
        with self._shared.lock:
            records = enumerate(self._shared.reader.file(name), 1)
            self._add((place << 20, record) for place, record in records)
        self._finish_batch(loose=True)

    def _add(self, records: Iterator[tuple[int, Record]]) -> None:
        """Put records beside what SQL took apart."""
        known: dict[tuple[Key, int], int] = {}
        last = self._number("SELECT coalesce(max(id), 0) FROM acts")
        while some := list(islice(records, ROWS)):
            templates: list[dict[str, Any]] = []
            acts: list[dict[str, Any]] = []
            rows: list[dict[str, Any]] = []
            for act, (ord_, record) in enumerate(some, last + 1):
                row = row_of(record)
                details = {
                    _WORDS.get(name, name): value
                    for name in _OBJECT
                    if (value := getattr(row.key, name))
                }
                key = row.key._replace(
                    doubt="", **{name: getattr(_BLANK, name) for name in _OBJECT}
                )
                if (key, row.times) not in known:
                    templates.append(self._template(replace(row, key=key), None))
                    known[key, row.times] = self._shared.templates
                acts.append(
                    {
                        "id": act,
                        "template": known[key, row.times],
                        "details": json.dumps(details) if details else "",
                        "event": key.event,
                        "function": key.function,
                    }
                )
                rows.append(
                    {
                        "ord": ord_,
                        "act": act,
                        "happened": row.first_seen,
                        "request": row.request,
                        "process": follow.process_of(record.process) if record.process else None,
                        "seq": record.event["seq"] if record.process else None,
                        "lost": row.lost,
                        "function": key.function,
                        "facts": known[key, row.times] if key.event == "armed" else None,
                    }
                )
            last += len(some)
            insert(self._to, "templates", templates)
            insert(self._to, "acts", acts)
            insert(self._to, "taken", rows)

    def _finish_batch(self, loose: bool) -> None:
        """Count what a batch has in `placed`, or, if it is `loose`, in `taken`."""
        run = self._to.execute
        stepped, last = kinds.STEPPED, kinds.LAST
        if loose:
            self._make("stepped", follow.STEPPED)
            stepped, last = "FROM stepped", follow.LAST
        self._make("begun", follow.begun(stepped, last))
        self._turn.wait()
        self._make("runs", follow.RUNS)
        self._make("fresh", follow.PROCESSES)
        run("DELETE FROM processes WHERE nonce IN (SELECT nonce FROM fresh)")
        run("INSERT INTO processes SELECT * FROM fresh")
        self._turn.over.set()
        self._make("grouped", follow.grouped(stepped, loose))
        repeated, missing, back = run(follow.COUNTED).fetchone() or (0, 0, 0)
        with self._shared.lock:
            counts = self._shared.reader.counts
            counts.repeated += int(repeated)
            counts.missing += int(missing)
            counts.clock_back += int(back)
        run(f"INSERT INTO parts BY NAME {follow.PARTS}")
        self._drop("acts", "begun", "runs", "fresh", "grouped")
        if loose:
            self._drop("taken", "stepped")
