"""A pytest plugin that reports a lane's progress to ``run.py``: one JSON line for each folder of
tests, and one for the slowest tests."""

from __future__ import annotations

import json
import os
import resource
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests import forked

#: The fd for the lines.
VARIABLE = "FSHIELD_LANE_FD"
SLOWEST = 10
#: Seconds between two reports on an unfinished folder.
EVERY = 30


def _folder(test: str) -> str:
    return str(Path(test.partition("::")[0]).parent)


def _processor_seconds() -> float:
    used = [resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used) + forked.processor_seconds()


class Progress:
    """Counts the tests of a folder until those of another folder begin."""

    def __init__(self, fd: int) -> None:
        # Programs that a test starts do not inherit the fd.
        os.set_inheritable(fd, False)
        self.fd = fd
        self.folder = ""
        self.counts: Counter[str] = Counter()
        self.began, self.used = time.monotonic(), _processor_seconds()
        self.last_report = self.began
        self.all: Counter[str] = Counter()  # number of tests in each folder
        self.seconds: dict[str, float] = defaultdict(float)

    def write_line(self, **what: Any) -> None:
        """Write one line, short enough for one whole write."""
        os.write(self.fd, json.dumps(what).encode() + b"\n")

    def ends(self) -> None:
        """Report that the folder is done."""
        now, used = time.monotonic(), _processor_seconds()
        if self.folder:
            self.write_line(
                folder=self.folder,
                counts=self.counts,
                seconds=now - self.began,
                processor=used - self.used,
            )
        self.counts, self.began, self.used = Counter(), now, used

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the tests of each folder."""
        self.all = Counter(_folder(item.nodeid) for item in session.items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count each test's three phases."""
        folder = _folder(report.nodeid)
        if folder != self.folder:
            self.ends()
            self.folder = folder
        self.seconds[report.nodeid] += report.duration
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1
        if time.monotonic() - self.last_report >= EVERY:
            self.last_report = time.monotonic()
            self.write_line(running=folder, done=sum(self.counts.values()), all=self.all[folder])

    def pytest_sessionfinish(self) -> None:
        """Report the last folder, and the slowest tests."""
        self.ends()
        slowest = sorted(self.seconds.items(), key=lambda item: -item[1])[:SLOWEST]
        for test, seconds in slowest:
            self.write_line(test=test, seconds=seconds)


def pytest_configure(config: pytest.Config) -> None:
    """Active only if run.py has started this pytest."""
    fd = os.environ.pop(VARIABLE, "")
    if fd:
        config.pluginmanager.register(Progress(int(fd)))
