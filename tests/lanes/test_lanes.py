"""The lanes of ``make test``: each folder is in one of them, and no failure is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lanes import run
from tests.support import ROOT

PASSES = "def test_passes() -> None:\n    assert True\n"
FAILS = "def test_fails() -> None:\n    assert 'the reason' == ''\n"
MEETS = """
import time
from pathlib import Path
HERE = Path(__file__).parent

def test_meets() -> None:
    (HERE / "here").touch()
    end = time.monotonic() + 60
    while not all((HERE.parent / name / "here").exists() for name in {names}):
        assert time.monotonic() < end
        time.sleep(0.05)
"""


def test_every_folder_is_in_one_lane() -> None:
    together, alone = run.lanes(["tests"])
    listed = [path for lane in (*together, *alone) for path in lane.paths]
    assert sorted(listed) == run.folders()
    assert "tests/lanes" in listed
    named = {Path(path).name for path in run.folders()}
    lists = (*run.BESIDE, *run.WHOLE, *run.ALONE)
    assert len(lists) == len(set(lists))
    assert set(lists) <= named


def test_files_are_taken_too() -> None:
    together, alone = run.lanes(
        ["tests/races/test_races.py", "tests/page", "tests/core", "tests/contract/"]
    )
    assert [(lane.name, lane.paths) for lane in (*together, *alone)] == [
        ("first", ["tests/contract"]),
        ("beside", ["tests/core"]),
        ("whole", ["tests/page"]),
        ("alone", ["tests/races/test_races.py"]),
    ]


def make(tmp_path: Path, **folders: str) -> list[str]:
    """Make folders of tests where a lane looks for them: run.py uses the second part of a path."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    made = []
    for name, text in folders.items():
        folder = tmp_path / "tests" / name
        folder.mkdir(parents=True)
        (folder / f"test_{name}.py").write_text(text)
        made.append(f"tests/{name}")
    return made


def run_lanes(tmp_path: Path, paths: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the lanes as make does, in a separate tree."""
    code = (
        "import sys; from pathlib import Path; from tests.lanes import run;"
        f" run.ROOT = Path({str(tmp_path)!r}); run.LOGS = run.ROOT / 'lanes';"
        " sys.exit(run.main(sys.argv[1:]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *paths],
        # Without the plugins of other packages, pytest starts faster.
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.mark.parametrize("bad", ["contract", "prose", "page", "races"])
def test_a_failure_in_any_lane_fails(tmp_path: Path, bad: str) -> None:
    names = ("contract", "prose", "page", "races")
    paths = make(tmp_path, **{name: FAILS if name == bad else PASSES for name in names})
    done = run_lanes(tmp_path, paths)
    assert done.returncode == 1, done
    lane = {"contract": "first", "prose": "beside", "page": "whole", "races": "alone"}[bad]
    assert f"failed in: {lane};" in done.stdout
    assert "assert 'the reason' == ''" in done.stdout
    assert f"tests/{bad}".ljust(20) + " 1 failed" in done.stdout


def test_what_cannot_be_collected_fails(tmp_path: Path) -> None:
    paths = make(tmp_path, contract=PASSES, prose="import no_such_module\n")
    done = run_lanes(tmp_path, paths)
    assert done.returncode == 1
    assert "no_such_module" in done.stdout


def test_lanes_run_at_the_same_time(tmp_path: Path) -> None:
    text = MEETS.format(names=("contract", "prose", "page"))
    paths = make(tmp_path, contract=text, prose=text, page=text, races=PASSES)
    done = run_lanes(tmp_path, paths)
    assert done.returncode == 0, done
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(lines) == 4
    assert "tests/races" in lines[3]
    assert "all passed; " in done.stdout
    assert "test_meets" in done.stdout.partition("slowest 10:")[2]


def test_no_test_has_the_lanes_fd(tmp_path: Path) -> None:
    text = (
        "import os, subprocess, sys\n"
        "def test_fd() -> None:\n"
        "    assert 'FSHIELD_LANE_FD' not in os.environ\n"
        "    code = 'import os; print(len(os.listdir(\"/proc/self/fd\")))'\n"
        "    said = subprocess.run([sys.executable, '-c', code], capture_output=True,"
        " close_fds=False, stdin=subprocess.DEVNULL, check=True).stdout\n"
        "    assert int(said) == 4, said\n"
    )
    done = run_lanes(tmp_path, make(tmp_path, contract=text))
    assert done.returncode == 0, done.stdout
