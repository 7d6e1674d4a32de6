"""Logs of invented fleets. They are always the same."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import Any

from fshield.evidence.stream import EventReader
from fshield.evidence.touched import Touched, dependencies
from fshield.report.page import Report, page
from tests.fshield.recorded import Log, stack

END = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
TEAMS = ("billing", "catalogue", "media", "orders", "search")


class Fleet(Log):
    """A log of many functions. Each has one process, with its own sequence of events."""

    def __init__(self) -> None:
        super().__init__()
        self._next: Counter[str] = Counter()

    def add(self, policy: str, *frames: str, **more: Any) -> Log:
        super().add(policy, *frames, **more)
        event = json.loads(self.lines[-1])
        process = f"{event.get('function', '')} {event.get('function_arn', '')}".encode().hex()
        event |= {"nonce": f"{process:0<96}", "seq": self._next[process]}
        self._next[process] += 1
        self.lines[-1] = json.dumps(event)
        return self


def at(days: float) -> str:
    """The time stamp `days` before the end of the logs."""
    return f"{END - timedelta(days=days):%Y-%m-%dT%H:%M:%S}.000000Z"


def arn(function: str, region: str = "eu-west-1", account: str = "123456789012") -> str:
    """The ARN of a function."""
    return f"arn:aws:lambda:{region}:{account}:function:{function}"


def installed(name: str, version: str) -> dict[str, object]:
    """The origin of an act by this release, which the function's code calls."""
    frames = [f"/var/task/{name}/__init__.py:8 quietly", *stack()]
    file = frames[0].rpartition(":")[0]
    return {
        "distribution": name,
        "version": version,
        "file": file,
        "line": 8,
        "function": "quietly",
        "stack": frames,
    }


def fleet(count: int = 50) -> Log:
    """Twenty days of `count` functions under a policy that only reports. In three of them, a
    release turns bad."""
    log = Fleet()
    names = [f"{TEAMS[at % len(TEAMS)]}-{at:02}" for at in range(count)]
    for number, function in enumerate(names):
        common: dict[str, Any] = {"function": function, "function_arn": arn(function)}
        for day in (20, 12, 5, 1):
            log.host(
                f"{function.partition('-')[0]}.internal.example",
                *stack("requests"),
                count=3 + number % 7,
                timestamp=at(day + number / 200),
                **common,
            )
        if number % 4 == 0:
            log.add(
                "read_write_tmp",
                path=f"/tmp/cache/{function}/index.bin",
                operation="create",
                timestamp=at(14),
                **common,
            )
        if number % 9 == 0:
            log.add(
                "create_child_process",
                path="/usr/bin/pdftotext",
                operation="execute",
                timestamp=at(9),
                **common,
            )
    for number, function in enumerate(names[3::17]):
        common = {
            "function": function,
            "function_arn": arn(function),
            "mode": "block",
            "origin": installed("inkstamp", "2.3.1"),
        }
        moment = at(2 - number / 10)
        log.host("collector.evil.example", count=2, timestamp=moment, **common)
        log.add(
            "create_child_process", path="/bin/sh", operation="execute", timestamp=moment, **common
        )
        log.add(
            "read_handler", path="/var/task/app.py", operation="open", timestamp=moment, **common
        )
    return log


def read(log: Log) -> Touched:
    """The log as evidence."""
    reader = EventReader()
    evidence = Touched()
    evidence.read(record for line in log.lines for record in reader.line(line))
    return evidence


def made(log: Log) -> str:
    """The report's page."""
    evidence = read(log)
    return page(Report(evidence, dependencies(evidence)))
