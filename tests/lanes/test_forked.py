"""A forked fshield behaves like ``python -m fshield``, so that tests may use it instead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import forked
from tests.support import ROOT, split_events

POLICY = "version: 1\npolicy: {read_write_tmp: block}\n"
TAIL = ("tail", "--json", "fifo")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "wide.yaml").write_text(
        "version: 1\npolicy: {outbound_connectivity: {mode: block, allow: [{aws: true}]}}\n"
    )
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("check", "p.yaml"), 0),
        (("check", "wide.yaml"), 1),
        (("explain", "p.yaml"), 0),
        (("check", "no-such.yaml"), 2),
        (("no-such-command",), 2),
        (("explain", "--help"), 0),
        (("run", "--", "no-such-program"), 2),
        (("run", "-p", "p.yaml", "--", "/bin/sh", "-c", "kill -9 $$"), -9),
        (("run", "-p", "p.yaml", "--", "/bin/sh", "-c", "echo $COLOUR; pwd; exit 7"), 7),
    ],
)
def test_the_same_as_a_process(folder: Path, words: tuple[str, ...], status: int) -> None:
    env = {**os.environ, "COLUMNS": "70", "COLOUR": "red", "FSHIELD_LAYER": f"{ROOT}/build/layer"}
    apart = subprocess.run(
        [sys.executable, "-m", "fshield", *words],
        env=env,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    done = forked.fshield(*words, env=env, cwd=folder)
    assert done.returncode == apart.returncode == status
    assert done.stdout == apart.stdout
    (printed, events), (forked_printed, forked_events) = map(
        split_events, (apart.stderr, done.stderr)
    )
    assert printed == forked_printed
    kinds = [[event["event"] for event in found] for found in (events, forked_events)]
    assert kinds[0] == kinds[1]


def test_ctrl_c(folder: Path) -> None:
    process = forked.start(*TAIL, cwd=folder)
    with (folder / "fifo").open("w"):
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(60)
    assert process.returncode == 130


def test_what_takes_too_long_is_ended(folder: Path) -> None:
    process = forked.start(*TAIL, cwd=folder)
    with (folder / "fifo").open("w"), pytest.raises(subprocess.TimeoutExpired):
        process.communicate(0.2)
    with pytest.raises(ProcessLookupError):
        while True:
            os.kill(process.pid, 0)


def test_one_is_not_the_next(folder: Path) -> None:
    """No change by one run is visible in the next."""
    first = forked.fshield("explain", "p.yaml", env={**os.environ, "COLUMNS": "40"}, cwd=folder)
    second = forked.fshield("explain", "p.yaml", env={**os.environ, "COLUMNS": "90"}, cwd=folder)
    assert first.stdout != second.stdout
    assert forked.processor_seconds() > 0


def test_what_an_interpreter_reads_needs_one(folder: Path) -> None:
    done = forked.fshield("check", "p.yaml", env={**os.environ, "PYTHONVERBOSE": "1"}, cwd=folder)
    assert "import 'fshield.cli.app'" in done.stderr
