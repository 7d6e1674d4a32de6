"""No guarded system call is made without passing a door."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.census import completeness


@pytest.mark.skipif(
    not completeness.strace_works(), reason="a strace that prints stacks (-k) is needed"
)
def test_every_call_passes_a_door(tmp_path: Path) -> None:
    calls = completeness.trace([sys.executable, str(completeness.WITNESS)], tmp_path / "log")
    assert len(calls) > 200
    assert [(call.text, call.stack[:6]) for call in calls if not call.excused] == []
