"""An unreadable pointer gives EFAULT and a path that is too long gives ENAMETOOLONG, as without the
guard. Nothing crashes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import support
from tests.races.races import BUILD


@pytest.fixture(scope="module")
def program() -> Path:
    BUILD.mkdir(parents=True, exist_ok=True)
    compiler = shutil.which("gcc") or shutil.which("clang")
    command = [compiler] if compiler else [sys.executable, "-m", "ziglang", "cc"]
    source, made = Path(__file__).with_name("unreadable.c"), BUILD / "unreadable"
    subprocess.run([*command, "-w", "-O1", str(source), "-o", str(made)], check=True)
    return made


@pytest.mark.parametrize("mode", ["block", "alert"])
def test_guarded_as_bare(program: Path, mode: str) -> None:
    bare = support.run_bare([program, BUILD])
    process = {"mode": mode, "allow": ["/usr/bin/true"]}
    guarded = support.run_guarded(
        [program, BUILD], policy=support.rules(outbound=mode, tmp=mode, process=process)
    )
    assert bare.returncode == 0
    assert bare.stdout.count("Bad address") >= 15
    assert guarded.returncode == 0
    assert guarded.stdout.splitlines() == bare.stdout.splitlines()
