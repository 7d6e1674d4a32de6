"""Threads that come to their first act together make one event of it, and are one process to its
reader."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests.contract.helpers import build
from tests.support import Event, rules, run_guarded

CHILDREN = 400


def by_process(events: list[Event]) -> list[list[Event]]:
    processes: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        processes[event["pid"]].append(event)
    return list(processes.values())


@pytest.mark.parametrize("children", [0, CHILDREN], ids=["a program", "forked children"])
def test_of_many_threads(children: int, tmp_file: Path) -> None:
    program = build("first_acts.c", "first_acts", "-pthread")
    runs = 1 if children else 20
    for _ in range(runs):
        arguments = [str(tmp_file), str(children)] if children else [str(tmp_file)]
        done = run_guarded([program, *arguments], policy=rules(tmp="block"))
        assert done.returncode == 0, done
        processes = by_process(done.violations)
        assert len(processes) == (children or 1)
        # The function's own process writes `armed` before its first act.
        first = 0 if children else 1
        assert [[event["seq"] for event in events] for events in processes] == [[first]] * len(
            processes
        )
