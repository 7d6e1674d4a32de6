"""Alert mode names the program that runs, whatever its name is pointed at meanwhile."""

from __future__ import annotations

from pathlib import Path

from tests.processes.programs import build
from tests.support import rules, run_guarded


def test_the_program_that_runs_is_named(tmp_path: Path) -> None:
    """Few starts a process: of one that is named, the next ones are counted, and tell nothing."""
    race = build("race.c", "race", "-pthread")
    policy = rules(process={"mode": "alert", "allow": ["/usr/bin/true"]})
    others = 0
    for number in range(150):
        done = run_guarded([race, tmp_path / f"{number}", "/usr/bin/true", "/usr/bin/false", "2"], policy=policy)
        named = [event for event in done.violations if event["details"]["path"] == "/usr/bin/false"]
        if "other 0\n" not in done.stdout:
            others += 1
            assert named, done
    assert others > 0
