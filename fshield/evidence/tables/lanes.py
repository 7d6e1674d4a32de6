"""Several lanes, which read the batches of a large log beside each other."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING

from fshield.evidence.tables.batches import Batch
from fshield.evidence.tables.lane import Lane, Shared, Turn, number

if TYPE_CHECKING:
    import duckdb

#: So many at most: each has a batch in memory.
_MOST = min(os.cpu_count() or 1, 4)


class Lanes:
    """One lane, until the log turns out to be large.

    Args:
        to: the connection. Lanes have their own to the same tables.
        shared: see `fshield.evidence.tables.lane.Shared`.
    """

    def __init__(self, to: duckdb.DuckDBPyConnection, shared: Shared) -> None:
        self._to = to
        self._threads = number(to, "SELECT current_setting('threads')")
        self._lanes = [Lane(to.cursor(), shared)]
        self._free: SimpleQueue[Lane] = SimpleQueue()
        self._free.put(self._lanes[0])
        self._pool = ThreadPoolExecutor(_MOST)
        self._turn = Turn()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._lanes)

    @property
    def known(self) -> bool:
        """Whether kinds of lines were learnt."""
        return self._lanes[0].known

    def learn_kinds(self, batch: Batch, more: bool) -> None:
        """Learn the kinds of a large batch's first lines, and where `more` come, have a lane for
        each processor. No batch is read meanwhile."""
        self._lanes[0].learn_kinds(batch)
        if not more or self.count > 1:
            return
        # A lane's query is done by its own thread only.
        self._to.execute("SET threads = 1")
        for _ in range(1, _MOST):
            self._lanes.append(self._lanes[0].beside())
            self._free.put(self._lanes[-1])

    def read(self, batch: Batch) -> Future[None]:
        """Read a batch in a lane, once one is free. Batches get theirs in order, since each waits
        for the one before it."""
        lane = self._free.get()
        turn, self._turn = self._turn, Turn(self._turn.over)
        return self._pool.submit(self._read, lane, batch, turn)

    def _read(self, lane: Lane, batch: Batch, turn: Turn) -> None:
        try:
            lane.read(batch, turn)
        finally:
            self._free.put(lane)

    def one_is_left(self) -> None:
        """What is still read has all processors."""
        self._to.execute(f"SET threads = {self._threads}")

    def close(self) -> None:
        """No batch is read any more."""
        self._pool.shutdown()
        self.one_is_left()
        for lane in self._lanes:
            lane.close()
