"""Makes the table of files with DuckDB, batch by batch, in memory that does not grow with the log.

See `fshield.evidence.tables.apart` for how a line is read.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from fshield.errors import CouldNotRun, shown
from fshield.evidence.stream import Counts, EventReader
from fshield.evidence.tables import lines, whole
from fshield.evidence.tables.batches import PACKED, Batch, in_batches, is_table, size_of
from fshield.evidence.tables.lane import ROWS, Shared, insert, number, prepare
from fshield.evidence.tables.lanes import Lanes
from fshield.evidence.tables.rows import (
    COLUMNS,
    LATER,
    NO_STAMP,
    SCHEMA_VERSION,
    Row,
    Stamp,
    row_from,
)
from fshield.evidence.tables.rows import values as columns_of
from fshield.files import scratch

if TYPE_CHECKING:
    import duckdb

#: Memory that DuckDB takes before it writes to its folder for temporary files.
MEMORY = "2GB"
#: A variable for the allocator in DuckDB: memory of batches that are done is kept a minute for the
#: next ones. By default it goes back within a second, and the system has to clear each page again.
_ALLOCATOR = {"DUCKDB_JE_MALLOC_CONF": "dirty_decay_ms:60000"}
#: What newer versions of DuckDB have. A lane reads its files itself: threads of DuckDB that did it
#: would hold buffers of their own, and give all memory that is free at the moment back whenever
#: they have nothing to do.
_NEWER = {"async_threads": "0"}
#: Where files have so many bytes, the kinds of their first lines are learnt first, and files are
#: read in several lanes.
_SAMPLED = 64 << 20
_METADATA = "fshield_evidence"


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
    # The allocator reads its variable while it is loaded. Children need not inherit it.
    ours = {name: value for name, value in _ALLOCATOR.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        import duckdb  # noqa: PLC0415 - 60 ms that commands without a table do without
    finally:
        for name in ours:
            del os.environ[name]
    to = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": MEMORY,
            "temp_directory": folder,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    for name, value in _NEWER.items():
        if to.execute(f"SELECT 1 FROM duckdb_settings() WHERE name = '{name}'").fetchone():
            to.execute(f"SET {name} = '{value}'")
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
        self._folder = scratch()
        self._stamp = stamp
        self._tell = progress or (lambda _size: None)
        try:
            self._to = connect(self._folder.name)
        except CouldNotRun:
            self._folder.cleanup()
            raise
        self._shared = Shared()
        self._finished = False
        #: Bytes of the sources, packed where they are packed.
        self.size = 0
        #: Logs that are in the table, by path: size, and time of the last change in nanoseconds.
        self.logs: dict[str, list[int]] = {}
        self._merged: dict[str, list[int]] = {}
        prepare(self._to)

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
    def reader(self) -> EventReader:
        """The reader of what SQL cannot read."""
        return self._shared.reader

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
        batches = in_batches(self._new(files, known or {}))
        batch = next(batches, None)
        while batch is not None:
            if batch.kind == "parquet":
                self._merge(batch.files)
                self._done(batch)
                batch = next(batches, None)
            else:
                batch = self._read_logs(batch, batches)
        self.counts.bytes = self.size
        return self

    def _read_logs(self, batch: Batch, batches: Iterator[Batch]) -> Batch | None:
        """Read logs up to the next table, which is returned. None is asked for behind a table,
        which may have read it."""
        lanes = Lanes(self._to, self._shared)
        waiting: deque[tuple[Batch, Future[None]]] = deque()
        following: Batch | None = batch
        try:
            while following is not None and following.kind != "parquet":
                batch, following = following, next(batches, None)
                if batch.weight >= _SAMPLED and batch.kind in PACKED and not lanes.known:
                    while waiting:
                        self._wait(waiting)
                    lanes.learn_kinds(batch, following is not None)
                waiting.append((batch, lanes.read(batch)))
                while waiting and waiting[0][1].done():
                    self._wait(waiting)
            while waiting:
                if len(waiting) == 1:
                    lanes.one_is_left()
                self._wait(waiting)
        finally:
            lanes.close()
        return following

    def _wait(self, waiting: deque[tuple[Batch, Future[None]]]) -> None:
        """For the first of the batches that are read."""
        batch, read = waiting.popleft()
        read.result()
        self._done(batch)

    def _done(self, batch: Batch) -> None:
        size = sum(map(size_of, batch.files))
        self.size += size
        self._tell(size)

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
                    f"{lines.literal(name)}) WHERE decode(key) = '{_METADATA}'"
                ).fetchone()
                self._count(said[0] if said else "")
                described = self._to.execute(
                    f"DESCRIBE SELECT * FROM read_parquet({lines.literal(name)})"
                ).fetchall()
                lacking = LATER - {column for column, *_ in described}
                columns = (f"'' AS {name}" if name in lacking else name for name in COLUMNS)
                self._to.execute(
                    f"INSERT INTO whole BY NAME SELECT {', '.join(columns)}"
                    f" FROM read_parquet({lines.literal(name)})"
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

    # ---- out ----

    def finish(self) -> Table:
        """Fold what was read so far into whole rows, in the table's order."""
        if self._finished:
            self._to.execute(f"INSERT INTO whole {whole.ROWS}")
        self._finished = True
        stamp = [self._stamp.account, self._stamp.region]
        self._to.execute(f"CREATE OR REPLACE TABLE pairs AS {whole.PAIRS}", stamp)
        self._to.execute(f"CREATE OR REPLACE TABLE meanings AS {whole.MEANINGS}")
        self._to.execute(f"CREATE OR REPLACE TABLE finished AS {whole.FINISHED}")
        self._to.execute("DELETE FROM parts; DELETE FROM whole")
        return self

    @property
    def rows(self) -> int:
        """How many rows the table has, once it is finished."""
        return number(self._to, "SELECT count(*) FROM finished")

    @property
    def events(self) -> int:
        """How many lines of logs are behind the table."""
        return number(self._to, "SELECT coalesce(sum(events), 0) FROM finished")

    def __iter__(self) -> Iterator[Row]:
        answer = self._to.cursor().execute(whole.ROWS)
        while found := answer.fetchmany(ROWS):
            yield from map(row_from, found)

    def add(self, rows: Iterable[Row]) -> Table:
        """Take rows that were made elsewhere."""
        names = list(COLUMNS)
        found = [dict(zip(names, columns_of(row), strict=True)) for row in rows]
        insert(self._to, "whole", found)
        return self

    def write(self, path: Path) -> None:
        """Write the table as Parquet, whole or not at all. What was met beside it goes with it."""
        said = {"schema": SCHEMA_VERSION, "counts": self.counts.as_dict(), "logs": self.logs}
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self._to.execute(
                f"COPY ({whole.ROWS}) TO {lines.literal(str(partial))}"
                " (FORMAT parquet, COMPRESSION zstd,"
                f" KV_METADATA {{{_METADATA}: {lines.literal(json.dumps(said))}}})"
            )
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
