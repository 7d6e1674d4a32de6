"""Makes the table of files with DuckDB, batch by batch, in memory that does not grow with the log.

See `fshield.evidence.tables.sql` for how a line is read.
"""

from __future__ import annotations

import importlib.util
import json
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from itertools import count, islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fshield.errors import CouldNotRun, shown
from fshield.evidence.stream import Counts, EventReader, Record
from fshield.evidence.tables import sql
from fshield.evidence.tables.batches import PACKED, PACKING, Batch, in_batches, is_table, size_of
from fshield.evidence.tables.rows import (
    COLUMNS,
    LATER,
    NO_STAMP,
    SCHEMA_VERSION,
    Key,
    Row,
    Stamp,
    row_from,
    row_of,
)
from fshield.evidence.tables.rows import values as columns_of
from fshield.evidence.tables.templates import meaning

if TYPE_CHECKING:
    import duckdb

#: Memory that DuckDB takes before it writes to its folder for temporary files.
MEMORY = "2GB"
#: Memory of batches that are done, which DuckDB keeps for the next ones, where it can. The system
#: would clear each page again.
_REUSED = ("block_allocator_memory", "1GB")
_ROWS = 5000
#: What so many kinds of lines have in common is kept from batch to batch, where it is not longer.
_KINDS = 1 << 14
_LONG = 1 << 12
#: Where files have so many bytes, the kinds of so many of their first lines are learnt first.
_SAMPLED = 64 << 20
_SAMPLE = 5000
_FEW = 32
#: The lines of so many batches are read while one before them is made part of the table.
_AHEAD = 2
# Tables of a batch, where the reader makes them: see `ACTS` and `TAKEN` of the SQL.
_ACTS = "id BIGINT, template INTEGER, details VARCHAR, event VARCHAR, function VARCHAR"
_TAKEN = (
    "ord BIGINT, act BIGINT, happened BIGINT, request VARCHAR, nonce VARCHAR, seq BIGINT,"
    " lost BIGINT, function VARCHAR, facts INTEGER"
)
_METADATA = "fshield_evidence"
#: Templates that mean nothing by themselves. A log with more of them was not written by the engine,
#: and is read line by line.
_REFUSED = 500
_BLANK = Key(event="?")
_OBJECT = ("verb", "host", "ip", "port", "protocol", "path")
_WORDS = {"verb": "operation"}


def available() -> bool:
    """Whether DuckDB is installed."""
    return importlib.util.find_spec("duckdb") is not None


def connect(folder: str) -> duckdb.DuckDBPyConnection:
    """DuckDB with its temporary files in `folder`. It fetches no extension and no configuration.

    Raises:
        CouldNotRun: it is not installed.
    """
    if not available():
        raise CouldNotRun(
            "a table of evidence needs DuckDB, which the extra fshield[evidence] installs",
            "pip install duckdb beside fshield",
        )
    import duckdb  # noqa: PLC0415 - 60 ms that commands without a table do without

    to = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": MEMORY,
            "temp_directory": folder,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    if to.execute(f"SELECT 1 FROM duckdb_settings() WHERE name = '{_REUSED[0]}'").fetchone():
        to.execute("SET {} = '{}'".format(*_REUSED))
    return to


class Table:
    """A table in the making.

    Args:
        stamp: what is said of events that do not say it.
        progress: hears how many bytes of the sources are done.
    """

    def __init__(
        self, stamp: Stamp = NO_STAMP, progress: Callable[[int], None] | None = None
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fshield-")
        self._stamp = stamp
        self._tell = progress or (lambda _size: None)
        try:
            self._to = connect(self._folder.name)
        except CouldNotRun:
            self._folder.cleanup()
            raise
        #: Of what SQL cannot read. SQL follows the numbers of processes.
        self.reader = EventReader(follow=False)
        #: Whether lines are looked for in others.
        self._wrapped = False
        #: How often the kinds that were known were forgotten, and their numbers given anew.
        self._kinds = 0
        #: Whether any were learnt. Until then lines are only stored.
        self._known = False
        self._numbers = count()
        self._templates = 0
        self._refused: set[str] = set()
        #: Bytes of the sources, packed where they are packed.
        self.size = 0
        #: Logs that are in the table, by path: size, and time of the last change in nanoseconds.
        self.logs: dict[str, list[int]] = {}
        self._merged: dict[str, list[int]] = {}
        wanted = ", ".join(
            f"{name} {COLUMNS[name]}" for name in Key._fields if name not in (*_OBJECT, "doubt")
        )
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        for statement in (
            "SET preserve_insertion_order = true",
            # What stands on the right of a join is the smaller side: lines are never held.
            "SET disabled_optimizers = 'build_side_probe_side'",
            f"CREATE TABLE templates (id INTEGER, text VARCHAR, times BIGINT, {wanted})",
            "CREATE TABLE processes (nonce VARCHAR, seq BIGINT, happened BIGINT, function VARCHAR,"
            " facts INTEGER)",
            "CREATE TABLE parts (template INTEGER, details VARCHAR, function VARCHAR,"
            " facts INTEGER, doubt VARCHAR, timely BIGINT, named VARCHAR, first_seen BIGINT,"
            " last_seen BIGINT, events BIGINT, lost HUGEINT, request VARCHAR)",
            f"CREATE TABLE whole ({columns})",
            f"CREATE TABLE kinds ({_ACTS}, common VARCHAR, shape VARCHAR, body VARCHAR,"
            " origin VARCHAR)",
        ):
            self._to.execute(statement)

    def __enter__(self) -> Table:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._to.close()
        self._folder.cleanup()

    @property
    def counts(self) -> Counts:
        """What was met, as the reader of events counts it; lines and others are of what SQL could
        not read."""
        return self.reader.counts

    # ---- in ----

    def read(self, files: Iterable[str], known: Mapping[str, str] | None = None) -> Table:
        """Take the events of logs, in order; Parquet files are tables, and are merged.

        Args:
            files: their names.
            known: what a file is known by to a table that is added to; else by its path.

        Raises:
            CouldNotRun: one cannot be read.
        """
        with ThreadPoolExecutor(_AHEAD) as pool:
            for batch in self._ahead(in_batches(self._new(files, known or {})), pool):
                if batch.kind == "parquet":
                    self._merge(batch.files)
                elif batch.kind == "odd" or not self._take(batch):
                    for name in batch.files:
                        if batch.kind == "odd" or not self._take(Batch([name], batch.kind)):
                            self._one_by_one(name)
                size = sum(map(size_of, batch.files))
                self.size += size
                self._tell(size)
        self.counts.bytes = self.size
        return self

    def _ahead(
        self, batches: Iterator[tuple[list[str], str]], pool: ThreadPoolExecutor
    ) -> Iterator[Batch]:
        """The batches, while the lines of those that come after them are read already. None is
        asked for behind a table, which may have read it."""
        waiting: deque[Batch] = deque()
        while True:
            while len(waiting) <= _AHEAD and not (waiting and waiting[-1].kind == "parquet"):
                found = next(batches, None)
                if found is None:
                    break
                batch = Batch(*found)
                if batch.kind in PACKED:
                    self._learn_kinds(batch)
                    batch.wrapped, batch.kinds = self._wrapped, self._kinds
                    batch.known = self._known
                    batch.placed = pool.submit(self._place, batch, f"placed_{next(self._numbers)}")
                waiting.append(batch)
            if not waiting:
                return
            yield waiting.popleft()

    def _place(self, batch: Batch, table: str) -> str:
        """Read the lines of a batch into `table`, beside what else is done. Returns its name."""
        with self._to.cursor() as to:
            to.execute(f"CREATE TABLE {table} AS {batch.lines}")
        return table

    def _new(self, files: Iterable[str], names: Mapping[str, str]) -> Iterator[str]:
        """Those of `files` that are not in a table that was read before them."""
        for name in files:
            path = Path(name)
            if is_table(name) or not path.exists():
                yield name
                continue
            state = path.stat()
            log = names.get(name) or str(path.resolve())
            known = [state.st_size, state.st_mtime_ns]
            if log in self._merged and self._merged[log] == known:
                continue
            self.logs[log] = known
            yield name

    def _merge(self, files: list[str]) -> None:
        import duckdb  # noqa: PLC0415

        for name in files:
            try:
                said = self._to.execute(
                    "SELECT decode(value) FROM parquet_kv_metadata("
                    f"{sql.literal(name)}) WHERE decode(key) = '{_METADATA}'"
                ).fetchone()
                self._count(said[0] if said else "")
                described = self._to.execute(
                    f"DESCRIBE SELECT * FROM read_parquet({sql.literal(name)})"
                ).fetchall()
                lacking = LATER - {column for column, *_ in described}
                columns = (f"'' AS {name}" if name in lacking else name for name in COLUMNS)
                self._to.execute(
                    f"INSERT INTO whole BY NAME SELECT {', '.join(columns)}"
                    f" FROM read_parquet({sql.literal(name)})"
                )
            except duckdb.Error as error:
                reason = str(error).partition("\n")[0]
                raise CouldNotRun(
                    f"{shown(name)} is not a table of evidence: {reason}",
                    "make it by fshield evidence LOG -o FILE.parquet",
                ) from None

    def _count(self, text: str) -> None:
        """Add what was met when a table was made."""
        try:
            said = json.loads(text)
            found, logs = said["counts"], dict(said["logs"])
        except (ValueError, KeyError, TypeError):
            return
        self._merged |= logs
        self.logs |= logs
        for name in asdict(self.counts):
            more = found.get(name, 0)
            if name != "bytes" and isinstance(more, int):
                setattr(self.counts, name, getattr(self.counts, name) + more)

    def _take(self, batch: Batch) -> bool:
        """Read files by SQL. False: nothing was taken, because one of them is not lines of text."""
        import duckdb  # noqa: PLC0415

        try:
            self._have_placed(batch)
            self._make("cut", sql.CUT)
            self._make("alike", sql.ALIKE)
            if not self._learn_templates():
                self._drop("placed", "cut", "alike")
                return False
            self._make("acts", sql.ACTS)
            self._make("taken", sql.TAKEN)
            self._remember()
            self._drop("cut", "alike")
            taken = self._number("SELECT count(*) FROM taken")
            whole = taken == self._number("SELECT count(*) FROM placed")
            if not whole:
                self._make("left_over", sql.LEFT_OVER)
            self._drop("placed")
        except duckdb.Error:
            return False
        self.counts.events += taken
        self.counts.lines += taken
        self.counts.lost += self._number("SELECT coalesce(sum(lost), 0) FROM taken")
        if not whole:
            self._add(self._left_over(batch.files))
            self._drop("left_over")
        self._finish_batch()
        return True

    def _have_placed(self, batch: Batch) -> None:
        """Have the lines of a batch in the table `placed`."""
        self._to.execute("DROP TABLE IF EXISTS placed")
        table = batch.placed.result() if batch.placed else ""
        if table and batch.kinds == self._kinds:
            self._to.execute(f"ALTER TABLE {table} RENAME TO placed")
            if batch.wrapped or not self._to.execute(sql.ANY_WRAPPED).fetchone():
                return
            self._wrapped = True
        elif table:
            self._drop(table)
        batch.wrapped, batch.known = self._wrapped, self._known
        self._to.execute(f"CREATE OR REPLACE TABLE placed AS {batch.lines}")
        if not batch.wrapped and self._to.execute(sql.ANY_WRAPPED).fetchone():
            self._wrapped = batch.wrapped = True
            self._to.execute(f"CREATE OR REPLACE TABLE placed AS {batch.lines}")

    def _learn_kinds(self, batch: Batch) -> None:
        """Remember what the first lines of a large batch have in common, once."""
        import duckdb  # noqa: PLC0415

        size = sum(map(size_of, batch.files)) * (PACKING if batch.kind == "gzip" else 1)
        if self._known or size < _SAMPLED:
            return
        try:
            # The first few say whether lines are wrapped, which may be long.
            for limit in (_FEW, _SAMPLE):
                self._have_placed(Batch(batch.files, batch.kind, limit=limit))
            self._make("cut", sql.CUT)
            self._make("alike", sql.ALIKE)
            if self._learn_templates():
                self._make("acts", sql.ACTS)
                self._remember()
        except duckdb.Error:
            self._known = True

    def _remember(self) -> None:
        """Keep for the next batch what many lines have in common."""
        kept = self._number("SELECT count(*) FROM kinds")
        if kept + self._number("SELECT count(*) FROM alike WHERE lines > 1") > _KINDS:
            self._to.execute("DELETE FROM kinds")
            self._kinds += 1
        self._to.execute(f"INSERT INTO kinds {sql.KINDS} LIMIT {_KINDS}", [_LONG])
        self._known = True

    def _make(self, table: str, query: str) -> None:
        """A table of one batch: in memory, and in the folder where it is too large."""
        self._to.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")

    def _drop(self, *tables: str) -> None:
        for table in tables:
            self._to.execute(f"DROP TABLE {table}")

    def _learn_templates(self) -> bool:
        """Ask the reader what new templates mean. Lines of those that it refuses must be read one
        by one. False: it refused too many."""
        found = self._to.execute(
            "SELECT DISTINCT template FROM alike WHERE template"
            " NOT IN (SELECT text FROM templates WHERE text IS NOT NULL)"
        ).fetchall()
        known, most = [], max(_REFUSED, len(self._refused))
        for (text,) in found:
            row = None if text in self._refused else meaning(text)
            if row is not None:
                known.append(self._template(row, text))
                continue
            self._refused.add(text)
            if len(self._refused) > most:
                break
        self._insert("templates", known)
        return len(self._refused) <= most

    def _template(self, row: Row, text: str | None) -> dict[str, Any]:
        self._templates += 1
        key = row.key._asdict()
        key["stack"] = list(row.key.stack)
        for name in (*_OBJECT, "doubt"):
            del key[name]
        return {"id": self._templates, "text": text, "times": row.times, **key}

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        kinds = self._to.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_name = ? ORDER BY ordinal_position",
            [table],
        ).fetchall()
        kind = ", ".join(f"{name} {kind}" for name, kind in kinds)
        for at in range(0, len(rows), _ROWS):
            self._to.execute(
                f"INSERT INTO {table} SELECT unnest(?::STRUCT({kind})[], recursive := true)",
                [rows[at : at + _ROWS]],
            )

    def _left_over(self, files: list[str]) -> Iterator[tuple[int, Record]]:
        """The events of lines that SQL could not take apart."""
        source = files[0] if len(files) == 1 else ""
        for at in range(0, self._number("SELECT count(*) FROM left_over"), _ROWS):
            lines = self._to.execute(
                "SELECT number, line, logged FROM left_over WHERE rowid >= ? AND rowid < ?"
                " ORDER BY rowid",
                [at, at + _ROWS],
            ).fetchall()
            for number, line, function in lines:
                for place, record in enumerate(self.reader.line(line, source, number, function)):
                    yield ((number + 1) << 20) + place, record

    def _one_by_one(self, name: str) -> None:
        """Read a file without SQL: what is not lines of text, or breaks off."""
        for table, columns in (("acts", _ACTS), ("taken", _TAKEN)):
            self._to.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({columns})")
        self._add(
            ((number + 1) << 20, record) for number, record in enumerate(self.reader.file(name))
        )
        self._finish_batch()

    def _add(self, records: Iterator[tuple[int, Record]]) -> None:
        """Put records beside what SQL took apart."""
        known: dict[tuple[Key, int], int] = {}
        last = self._number("SELECT coalesce(max(id), 0) FROM acts")
        while some := list(islice(records, _ROWS)):
            templates: list[dict[str, Any]] = []
            acts: list[dict[str, Any]] = []
            rows: list[dict[str, Any]] = []
            for number, (ord_, record) in enumerate(some, last + 1):
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
                    known[key, row.times] = self._templates
                acts.append(
                    {
                        "id": number,
                        "template": known[key, row.times],
                        "details": json.dumps(details) if details else "",
                        "event": key.event,
                        "function": key.function,
                    }
                )
                rows.append(
                    {
                        "ord": ord_,
                        "act": number,
                        "happened": row.first_seen,
                        "request": row.request,
                        "nonce": record.process,
                        "seq": record.event["seq"] if record.process else None,
                        "lost": row.lost,
                        "function": key.function,
                        "facts": known[key, row.times] if key.event == "armed" else None,
                    }
                )
            last += len(some)
            self._insert("templates", templates)
            self._insert("acts", acts)
            self._insert("taken", rows)
        if known:
            self._make("taken", "SELECT * FROM taken ORDER BY ord")

    def _finish_batch(self) -> None:
        self._make("stepped", sql.stepped())
        if self._number(sql.OUT_OF_ORDER):
            self._make("stepped", sql.stepped("ORDER BY ord"))
        for table, query in (
            ("runs", sql.RUNS),
            ("fresh", sql.PROCESSES),
            ("grouped", sql.GROUPED),
        ):
            self._make(table, query)
        run = self._to.execute
        repeated, missing, back = run(sql.COUNTED).fetchone() or (0, 0, 0)
        self.counts.repeated += int(repeated)
        self.counts.missing += int(missing)
        self.counts.clock_back += int(back)
        run("DELETE FROM processes WHERE nonce IN (SELECT nonce FROM fresh)")
        run("INSERT INTO processes SELECT * FROM fresh")
        run(f"INSERT INTO parts BY NAME {sql.PARTS}")
        self._drop("acts", "taken", "stepped", "runs", "fresh", "grouped")

    def _number(self, statement: str) -> int:
        found = self._to.execute(statement).fetchone()
        return int(found[0]) if found else 0

    # ---- out ----

    def finish(self) -> Table:
        """Fold what was read so far into whole rows."""
        self._to.execute(
            f"INSERT INTO whole BY NAME {sql.FINISHED}", [self._stamp.account, self._stamp.region]
        )
        self._to.execute("DELETE FROM parts")
        # Who reads it sorts it.
        rows = f"SELECT {', '.join(COLUMNS)} FROM ({sql.merged('whole')})"
        self._to.execute(f"CREATE OR REPLACE TABLE merged AS {rows}")
        self._to.execute("DROP TABLE whole; ALTER TABLE merged RENAME TO whole")
        return self

    @property
    def rows(self) -> int:
        """How many rows the table has, once it is finished."""
        return self._number("SELECT count(*) FROM whole")

    @property
    def events(self) -> int:
        """How many lines of logs are behind the table."""
        return self._number("SELECT coalesce(sum(events), 0) FROM whole")

    def __iter__(self) -> Iterator[Row]:
        answer = self._to.cursor().execute(sql.ordered("whole"))
        while found := answer.fetchmany(_ROWS):
            yield from map(row_from, found)

    def add(self, rows: Iterable[Row]) -> Table:
        """Take rows that were made elsewhere."""
        names = list(COLUMNS)
        found = [dict(zip(names, columns_of(row), strict=True)) for row in rows]
        self._insert("whole", found)
        return self

    def write(self, path: Path) -> None:
        """Write the table as Parquet, whole or not at all. What was met beside it goes with it."""
        said = {"schema": SCHEMA_VERSION, "counts": self.counts.as_dict(), "logs": self.logs}
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self._to.execute(
                f"COPY ({sql.ordered('whole')}) TO {sql.literal(str(partial))}"
                " (FORMAT parquet, COMPRESSION zstd,"
                f" KV_METADATA {{{_METADATA}: {sql.literal(json.dumps(said))}}})"
            )
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
