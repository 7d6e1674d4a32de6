"""Runs the tests in lanes: ``python -m tests.lanes.run [FOLDER | FILE…]``.

Three lanes run at the same time. Each is one pytest, which takes its folders in order. Tests wait
more than they compute: two lanes would leave a third of two processors unused. Tests that measure
time, or that need both processors for a race of two threads, run alone afterwards.
``FSHIELD_TEST_LANES=1`` runs one lane after the other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lanes.plugin import SLOWEST, VARIABLE

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "build" / "lanes"
# Folders below tests/. No two lanes use the same folder of build/. BESIDE has the command line and
# the network. WHOLE has whole functions, and folders that even out the lanes' times. The first lane
# has the rest, mostly the guard.
BESIDE = (
    *("core", "deploy", "egress", "faults", "fleet", "fshield", "lanes", "native", "oracles"),
    "prose",
)
WHOLE = (
    *("evidence", "incidents", "local", "others", "packages", "page", "processes", "release"),
    *("replica", "runtimes"),
)
ALONE = ("races", "soak")


@dataclass
class Lane:
    """The folders of tests that one pytest runs.

    Attributes:
        name: the name of its log.
        paths: its folders and files, in order.
        status: pytest's exit status, after it has ended.
    """

    name: str
    paths: list[str]
    status: int = 0

    @property
    def log(self) -> Path:
        """The output of pytest."""
        return LOGS / f"{self.name}.log"


@dataclass
class Report:
    """Prints what the lanes report."""

    folders: int
    done: int = 0
    processor: float = 0
    slowest: list[tuple[float, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, lines: int) -> None:
        """Print a line for each folder, until the lane ends."""
        with os.fdopen(lines) as stream:
            for line in stream:
                message = json.loads(line)
                with self.lock:
                    if "test" in message:
                        self.slowest.append((message["seconds"], message["test"]))
                    elif "running" in message:
                        at = f"{message['running']:20} {message['done']} of {message['all']} …"
                        print(f"{'':{self.indent}}{at}", flush=True)
                    else:
                        self.print(message)

    @property
    def indent(self) -> int:
        """The width of ``[12/30] ``."""
        return len(f"[{self.folders}/{self.folders}] ")

    def print(self, message: dict[str, Any]) -> None:
        """Print one folder's line."""
        self.done += 1
        self.processor += message["processor"]
        counts = sorted(message["counts"].items())
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in counts)
        head = f"[{self.done}/{self.folders}]".ljust(self.indent)
        took = f"{message['seconds']:5.0f} s, {message['processor']:4.0f} s of processor"
        print(f"{head}{message['folder']:20} {outcomes:26}{took}", flush=True)


def folders() -> list[str]:
    """The folders of tests/ that contain tests."""
    found = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/*/test_*.py")}
    return sorted(found)


def lanes(asked: Sequence[str]) -> tuple[list[Lane], list[Lane]]:
    """The lanes that run at the same time, and those that run afterwards."""
    rest = [path.rstrip("/") for path in asked]
    if rest == ["tests"]:
        rest = folders()

    def take(names: tuple[str, ...]) -> list[str]:
        chosen = [path for path in rest if Path(path).parts[1:2] and Path(path).parts[1] in names]
        rest[:] = [path for path in rest if path not in chosen]
        return chosen

    beside, whole, alone = take(BESIDE), take(WHOLE), take(ALONE)
    together = [Lane("first", rest), Lane("beside", beside), Lane("whole", whole)]
    return [lane for lane in together if lane.paths], [Lane("alone", alone)] if alone else []


def start(lane: Lane, report: Report) -> threading.Thread:
    """Start the lane's pytest, and a thread that reads its reports until it ends."""
    reads, writes = os.pipe()
    # All names have the same length, because the length of a socket's path is limited.
    base = ROOT / "build" / {"beside": "pytes2", "whole": "pytes3"}.get(lane.name, "pytest")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.lanes.plugin"]
    with lane.log.open("w") as log:
        process = subprocess.Popen(
            [*command, f"--basetemp={base}", *lane.paths],
            cwd=ROOT,
            env={**os.environ, VARIABLE: str(writes)},
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[writes],
        )
    os.close(writes)

    def follow() -> None:
        report.read(reads)
        lane.status = process.wait()

    thread = threading.Thread(target=follow)
    thread.start()
    return thread


def main(asked: Sequence[str]) -> int:
    """Run the tests. Exit status 0: all passed."""
    began = time.monotonic()
    LOGS.mkdir(parents=True, exist_ok=True)
    together, alone = lanes(asked or ["tests"])
    every = [*together, *alone]
    report = Report(sum(len(lane.paths) for lane in every))
    if os.environ.get("FSHIELD_TEST_LANES") == "1":
        groups = [[lane] for lane in every]
    else:
        groups = [together, *([lane] for lane in alone)]
    for group in groups:
        for thread in [start(lane, report) for lane in group]:
            thread.join()
    print(f"\nslowest {SLOWEST}:")
    for seconds, test in sorted(report.slowest, reverse=True)[:SLOWEST]:
        print(f"{seconds:6.1f} s  {test}")
    for lane in every:
        if lane.status != 0:
            print(f"\n{lane.name}:\n{lane.log.read_text()}")
    failed = [lane.name for lane in every if lane.status != 0]
    took = time.monotonic() - began
    verdict = f"failed in: {', '.join(failed)}" if failed else "all passed"
    print(f"\n{verdict}; {took:.0f} s, {report.processor:.0f} s of processor")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
