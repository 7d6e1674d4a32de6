"""The files of a log in batches, which are read together.

See `fshield.evidence.tables.engine` for what is done with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fshield.errors import CouldNotRun, shown
from fshield.evidence.stream import INVOKED
from fshield.evidence.tables import kinds, lines

#: A batch is read until it has this many bytes. A packed byte counts as ten, and a wrapped line as
#: ten lines.
_SIZE = 256 << 20
_PACKING = 10
#: Kinds of batches that SQL reads.
PACKED = ("gzip", "none")
_PARQUET = b"PAR1"


def is_table(name: str) -> bool:
    """Whether a file is a table that was made before."""
    try:
        if not Path(name).is_file():
            return False
        with Path(name).open("rb") as stream:
            return stream.read(len(_PARQUET)) == _PARQUET
    except (OSError, ValueError):
        return False


@dataclass
class Batch:
    """Files that are read together.

    Args:
        files: their names.
        kind: see `in_batches`.
        wrapped: lines are looked for in others.
        known: there are kinds that lines may be of.
        limit: about the number of lines, where not all are read.
        long: lines may be longer than they mostly are.
        careful: lines of known kinds are cut as well, since some name a strange process.
    """

    files: list[str]
    kind: str
    wrapped: bool = False
    known: bool = False
    limit: int = 0
    long: bool = False
    careful: bool = False

    @property
    def weight(self) -> int:
        """Bytes of the files, about as many as they have unpacked."""
        return sum(map(size_of, self.files)) * (_PACKING if self.kind == "gzip" else 1)

    @property
    def lines(self) -> str:
        """SQL for the table `placed`."""
        found = lines.read(self.files, self.kind == "gzip", self.long, bool(self.limit))
        if self.limit:
            some = self.limit // _PACKING + 1 if self.wrapped else self.limit
            found = f"SELECT * FROM ({found}) LIMIT {some}"
        return kinds.placed(lines.unwrapped(found) if self.wrapped else found, self.known)


def size_of(name: str) -> int:
    """Bytes of a file; 0 where it cannot be asked."""
    try:
        return Path(name).stat().st_size
    except OSError:
        return 0


def in_batches(files: Iterable[str]) -> Iterator[Batch]:
    """Files in order, in batches of one kind each: ``gzip``, ``none``, ``parquet``, ``odd``."""
    batch: list[str] = []
    kind, size = "", 0
    for name in files:
        found = _kind(name)
        if found == "parquet" or kind == "parquet":
            # What a table has read, files behind it need not be read for.
            if batch:
                yield Batch(batch, kind)
            batch, kind, size = [], "", 0
            if found == "parquet":
                yield Batch([name], found)
                continue
        weight = size_of(name) * (_PACKING if found == "gzip" else 1)
        if batch and (found != kind or size + weight > _SIZE):
            yield Batch(batch, kind)
            batch, size = [], 0
        batch.append(name)
        kind, size = found, size + weight
    if batch:
        yield Batch(batch, kind)


def _kind(name: str) -> str:
    try:
        # What is read of a pipe is gone.
        if Path(name).is_fifo():
            return "odd"
        with Path(name).open("rb") as stream:
            first = stream.read(4096)
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise CouldNotRun(f"{shown(name)}: {reason}", "name a file of events") from None
    if first.startswith(_PARQUET):
        return "parquet"
    if INVOKED.match(first):
        return "odd"
    return "gzip" if first.startswith(b"\x1f\x8b") else "none"
