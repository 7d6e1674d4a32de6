"""A pytest plugin that tells ``run.py`` how a lane gets on: a JSON line for each folder of tests,
and one for the slowest tests."""

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

#: The fd that the lines go to.
VARIABLE = "FSHIELD_LANE_FD"
SLOWEST = 10
#: Seconds between two words on a folder that is not done.
EVERY = 30


def _folder(test: str) -> str:
    return str(Path(test.partition("::")[0]).parent)


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used) + forked.processor_seconds()


class Progress:
    """Counts a folder's tests until another folder's begin."""

    def __init__(self, fd: int) -> None:
        # No program that a test starts has the fd.
        os.set_inheritable(fd, False)
        self.fd = fd
        self.folder = ""
        self.counts: Counter[str] = Counter()
        self.began, self.used = time.monotonic(), _processor_seconds()
        self.told = self.began
        self.all: Counter[str] = Counter()  # tests of each folder
        self.seconds: dict[str, float] = defaultdict(float)

    def tell(self, **what: Any) -> None:
        """One line; short enough to be written whole."""
        os.write(self.fd, json.dumps(what).encode() + b"\n")

    def ends(self) -> None:
        """The folder is done."""
        now, used = time.monotonic(), _processor_seconds()
        if self.folder:
            self.tell(
                folder=self.folder,
                counts=self.counts,
                seconds=now - self.began,
                processor=used - self.used,
            )
        self.counts, self.began, self.used = Counter(), now, used

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """How many tests each folder has."""
        self.all = Counter(_folder(item.nodeid) for item in session.items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Each test's three parts."""
        folder = _folder(report.nodeid)
        if folder != self.folder:
            self.ends()
            self.folder = folder
        self.seconds[report.nodeid] += report.duration
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1
        if time.monotonic() - self.told >= EVERY:
            self.told = time.monotonic()
            self.tell(running=folder, done=sum(self.counts.values()), all=self.all[folder])

    def pytest_sessionfinish(self) -> None:
        """The last folder, and the slowest tests."""
        self.ends()
        slowest = sorted(self.seconds.items(), key=lambda item: -item[1])[:SLOWEST]
        for test, seconds in slowest:
            self.tell(test=test, seconds=seconds)


def pytest_configure(config: pytest.Config) -> None:
    """Where run.py has started this."""
    fd = os.environ.pop(VARIABLE, "")
    if fd:
        config.pluginmanager.register(Progress(int(fd)))
