"""Measures how fast gigabytes of events become a table of evidence: DuckDB against the reader of
single lines, in one run. DuckDB is measured seven times, and its median counts.

    python bench/evidence.py --gigabytes 2
    python bench/evidence.py --gigabytes 2 --wrapped
    python bench/evidence.py --functions 1000

The log of bench/volume.py is first written to build/. The reader gets a part of it. Both are
compared in MB/s of wall time and of CPU time, because the machine may have other work.
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
#: DuckDB is measured so often.
_TIMES = 7


@dataclass(frozen=True)
class Measure:
    """The cost of one way.

    Args:
        how: ``duckdb`` or ``reader``.
        size: bytes of lines.
        seconds, processor: wall time and CPU time.
        memory: the largest resident set, in bytes.
        events, rows: the numbers of events that were read and of rows that were made.
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
        """One line for people."""
        return (
            f"{self.how:7} {self.size / 1e9:6.2f} GB  {self.events:11,} events  {self.rows:8,} rows"
            f"  {self.seconds:7.1f} s  {self.size / 1e6 / self.seconds:6.1f} MB/s"
            f"  {self.size / 1e6 / self.processor:6.1f} MB/s of processor time"
            f"  peak {self.memory / 1e6:6.0f} MB"
        )


def as_subscription(part: bytes) -> bytes:
    """Lines in the records of a subscription, 20 in each."""
    lines = part.decode().splitlines(keepends=True)
    records = [
        {
            "messageType": "DATA_MESSAGE",
            "logGroup": "/aws/lambda/orders",
            "logEvents": [
                {"id": f"{at}{n}", "timestamp": 1795500000000, "message": line}
                for n, line in enumerate(lines[at : at + 20])
            ],
        }
        for at in range(0, len(lines), 20)
    ]
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def written(size: int, packed: bool, wrapped: bool) -> list[str]:
    """Write the log to files of `_FILE` bytes."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    files: list[str] = []
    to = None
    left = 0
    for part in log(size):
        if wrapped:
            part = as_subscription(part)  # noqa: PLW2901
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
    os.sync()  # the disk is not still busy with these files when they are read
    return files


def by_duckdb(files: list[str]) -> tuple[int, int]:
    """The numbers of events and rows, by DuckDB."""
    from fshield.evidence.tables.engine import Table  # noqa: PLC0415 - one of the two is measured

    with Table() as table:
        table.read(files).finish().write(_FOLDER / "evidence.parquet")
        return table.events, table.rows


def by_reader(files: list[str]) -> tuple[int, int]:
    """The numbers of events and of kinds of acts, by the fold that `learn` and `report` use without
    a table."""
    from fshield.evidence.stream import EventReader  # noqa: PLC0415
    from fshield.evidence.touched import Touched  # noqa: PLC0415

    evidence = Touched()
    evidence.read(EventReader().files(files))
    return evidence.events, len(evidence.acts)


def over_functions(count: int) -> None:
    """Time `learn` and `report` over a table of `count` functions, with 40 rows each."""
    from fshield.evidence.tables.engine import Table  # noqa: PLC0415
    from fshield.evidence.tables.rows import Key, Row  # noqa: PLC0415

    _FOLDER.mkdir(parents=True, exist_ok=True)
    path = _FOLDER / "functions.parquet"
    stack = ("/var/task/requests/api.py:3 get", "/var/task/app.py:31 handler")
    key = Key(
        account="123456789012",
        region="eu-west-1",
        runtime="python3.13",
        policy="monitor",
        event="violation",
        mode="alert",
        policy_mode="alert",
        reason="no_rule",
        dependency="requests",
        dependency_version="2.32.3",
        file="/var/task/requests/api.py",
        line=3,
        stack=stack,
    )
    at = 1_795_500_000_000_000
    rows = []
    for number in range(count):
        function = key._replace(function=f"team-{number % 25}-function-{number}")
        for act in range(40):
            host = f"h{act}.example" if act < 20 else f"{function.function}-{act}.example"
            did = function._replace(rule="outbound_connectivity", host=host, port=443)
            if act % 4 == 3:
                path_of = f"/tmp/{function.function}/{act}.bin"
                did = function._replace(rule="read_write_tmp", verb="create", path=path_of)
            rows.append(Row(did, at, at + number * 1_000_000, 100 + act, 20, 0, "r"))
    with Table() as table:
        table.add(rows).finish().write(path)
    for command, out in (("learn", "learnt.yaml"), ("report", "report.html")):
        words = [sys.executable, "-m", "fshield", command, str(path), "-o", str(_FOLDER / out)]
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        # Status 1: learn held everything back.
        found = subprocess.run(words, capture_output=True, check=False, cwd=ROOT)
        if found.returncode not in (0, 1):
            raise SystemExit(found.stderr.decode())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(
            f"{command:7} {count:,} functions  {len(rows):,} rows  "
            f"{time.monotonic() - begin:6.1f} s  {used:6.1f} s of processor time",
            flush=True,
        )


def _environment() -> dict[str, str]:
    """Of a run. Its modules are compiled once, as those of an installed package are, even where the
    environment asks Python to keep no bytecode."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(_FOLDER / "bytecode")}


def measured(how: str, size: int, files: list[str], times: int = 1) -> Measure:
    """The median of runs of one way, each in a separate process."""
    runs = []
    for _ in range(times):
        answer = subprocess.run(
            [sys.executable, __file__, "--how", how, "--size", str(size), *files],
            capture_output=True,
            text=True,
            check=True,
            env=_environment(),
        )
        runs.append(Measure(**json.loads(answer.stdout)))
    return sorted(runs, key=lambda run: run.seconds)[times // 2]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--reader-gigabytes", type=float, help="the default is all of them")
    parser.add_argument("--packed", action="store_true", help="compress the files with gzip")
    parser.add_argument(
        "--wrapped", action="store_true", help="wrap the lines in a subscription's records"
    )
    parser.add_argument(
        "--functions",
        type=int,
        help="time learn and report over this many functions, without a log",
    )
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
    if asked.functions:
        over_functions(asked.functions)
        return
    size = int(asked.gigabytes * 1e9)
    part = int(min(asked.reader_gigabytes or asked.gigabytes, asked.gigabytes) * 1e9)
    slow = measured("reader", part, written(part, asked.packed, asked.wrapped))
    print(slow.line, flush=True)
    # It takes seconds, where the reader takes minutes: a moment's load on the machine counts more.
    fast = measured("duckdb", size, written(size, asked.packed, asked.wrapped), _TIMES)
    print(fast.line, flush=True)
    wall = fast.size / fast.seconds / (slow.size / slow.seconds)
    work = fast.size / fast.processor / (slow.size / slow.processor)
    print(f"{wall:.1f} times as fast; {work:.1f} times by processor time")


if __name__ == "__main__":
    main()
