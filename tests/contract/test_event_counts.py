"""Repeats are counted, and each count belongs to one invocation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fshield.local.emulator import Function
from tests.contract.acting import python
from tests.support import (
    LAYER,
    ROOT,
)

# ---- counts ----


def test_repeats_are_counted_once_the_process_has_no_invocations() -> None:
    code = "import os\nfor _ in range(1000):\n  try: os.listdir('/tmp')\n  except OSError: pass"
    result = python(code)
    assert 1 <= len(result.violations) <= 2
    assert result.violations[0]["count"] == 1


def test_kinds_are_told_apart() -> None:
    code = (
        "import os\n"
        "def one(path):\n  try: os.listdir(path)\n  except OSError: pass\n"
        "for path in ('/tmp', '/tmp/a', '/tmp', '/tmp/b', '/tmp/a'): one(path)\n"
    )
    paths = [event["details"]["path"] for event in python(code).violations]
    assert paths[:3] == ["/tmp", "/tmp/a", "/tmp/b"]


FUNCTION = """
import os, socket
def handler(event, context):
    for _ in range(event["times"]):
        try: open("/tmp/function-shield-nonexistent")
        except OSError: pass
    try: os.mkdir("/tmp/function-shield-" + event["name"])
    except OSError: pass
    return context.aws_request_id
"""


@pytest.fixture(scope="module")
def invocations(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Three invocations of one function under the real runtime client."""
    folder = tmp_path_factory.mktemp("function")
    (folder / "app.py").write_text(FUNCTION)
    with Function(
        folder, "app.handler", python=Path(ROOT / ".venv/bin/python"), layer=LAYER, policy="default"
    ) as function:
        return [function.invoke({"times": times, "name": f"n{times}"}) for times in (5, 1, 3)]


def test_request_ids(invocations: list[Any]) -> None:
    seen = set()
    for invocation in invocations:
        assert invocation.error is None, invocation.error
        violations = [event for event in invocation.events if event["event"] == "violation"]
        assert violations
        assert {event["requestId"] for event in violations} == {invocation.response}
        seen.add(invocation.response)
    assert len(seen) == 3


def test_counts_are_written_when_the_invocation_ends(invocations: list[Any]) -> None:
    counts = [
        [
            event["count"]
            for event in invocation.events
            if event["event"] == "violation"
            and event["details"]["path"] == "/tmp/function-shield-nonexistent"
        ]
        for invocation in invocations
    ]
    assert [sum(numbers) for numbers in counts] == [5, 1, 3]
    assert counts[0] == [1, 4], "the first in full, the rest as one count"
    assert len(counts[2]) == 1
