"""Four of the twelve honest functions. A policy learnt from three inputs blocks none of the other
seventeen and causes no alarm. It stops a bad dependency, and events name it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import ROOT, clean_environment


def test_learnt_and_enforced() -> None:
    command = [sys.executable, str(ROOT / "examples" / "honest" / "run.py")]
    names = ("ledger", "bundles", "refunds", "waits")
    done = subprocess.run(
        [*command, *names],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if "no network namespace can be made" in done.stderr:
        pytest.skip("no network namespace can be made")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in names:
        (row,) = [line for line in done.stdout.splitlines() if line.startswith(f"| {name}:")]
        assert "| 0 of 17 | 0 of 3 | 0 of 20 | 15 of 15 |" in row
