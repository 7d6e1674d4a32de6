"""Gigabytes of events to a table of evidence: DuckDB against the reader of single lines, in one
run.

    python bench/evidence.py --gigabytes 2

The log is that of bench/volume.py, written to build/ first. The reader is given a part of it, and
both are compared in MB/s of wall time and of processor time: the machine may have other work.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from volume import log

ROOT = Path(__file__).resolve().parent.parent
_FOLDER = ROOT / "build" / "bench-evidence"
_FILE = 128_000_000


@dataclass(frozen=True)
class Measure:
    """What one way needed.

    Args:
        how: ``duckdb`` or ``reader``.
        size: bytes of lines.
        seconds, processor: of wall and of processor time.
        memory: the most that it had resident, in bytes.
        events, rows: that it counted, and made of them.
    """

    how: str
    size: int
    seconds: float
    processor: float
    memory: int
    events: int
    rows: int

    @property
    def line(self) -> str:
        """For people."""
        return (
            f"{self.how:7} {self.size / 1e9:6.2f} GB  {self.events:11,} events  {self.rows:8,} rows"
            f"  {self.seconds:7.1f} s  {self.size / 1e6 / self.seconds:6.1f} MB/s"
            f"  {self.size / 1e6 / self.processor:6.1f} MB/s of processor time"
            f"  peak {self.memory / 1e6:6.0f} MB"
        )


def written(size: int, packed: bool) -> list[str]:
    """The log in files of `_FILE` bytes each."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    files: list[str] = []
    to = None
    left = 0
    for part in log(size):
        if to is None or left <= 0:
            if to is not None:
                to.close()
            path = _FOLDER / f"{len(files):04}.log{'.gz' if packed else ''}"
            files.append(str(path))
            to = gzip.open(path, "wb", 1) if packed else path.open("wb")  # noqa: SIM115
            left = _FILE
        to.write(part)
        left -= len(part)
    if to is not None:
        to.close()
    return files


def by_duckdb(files: list[str]) -> tuple[int, int]:
    """Events and rows."""
    from fshield.evidence.tables.engine import Table  # noqa: PLC0415 - one of the two is measured

    with Table() as table:
        table.read(files).finish().write(_FOLDER / "evidence.parquet")
        return table.events, table.rows


def by_reader(files: list[str]) -> tuple[int, int]:
    """Events and kinds of acts, as `learn` and `report` fold them without a table."""
    from fshield.evidence.stream import EventReader  # noqa: PLC0415
    from fshield.evidence.touched import Touched  # noqa: PLC0415

    evidence = Touched()
    evidence.read(EventReader().files(files))
    return evidence.events, len(evidence.acts)


def measured(how: str, size: int, files: list[str]) -> Measure:
    """Run one way in a process of its own."""
    answer = subprocess.run(
        [sys.executable, __file__, "--how", how, "--size", str(size), *files],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return Measure(**json.loads(answer.stdout))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--reader-gigabytes", type=float, help="else all of them")
    parser.add_argument("--packed", action="store_true", help="files are gzip")
    parser.add_argument("--how", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.how:
        begin = time.monotonic()
        events, rows = (by_duckdb if asked.how == "duckdb" else by_reader)(asked.files)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        found = Measure(
            asked.how,
            asked.size,
            time.monotonic() - begin,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss * 1024,
            events,
            rows,
        )
        print(json.dumps(asdict(found)))
        return
    size = int(asked.gigabytes * 1e9)
    part = int(min(asked.reader_gigabytes or asked.gigabytes, asked.gigabytes) * 1e9)
    slow = measured("reader", part, written(part, asked.packed))
    print(slow.line, flush=True)
    fast = measured("duckdb", size, written(size, asked.packed))
    print(fast.line, flush=True)
    wall = fast.size / fast.seconds / (slow.size / slow.seconds)
    work = fast.size / fast.processor / (slow.size / slow.processor)
    print(f"{wall:.1f} times as fast; {work:.1f} times by processor time")


if __name__ == "__main__":
    main()
