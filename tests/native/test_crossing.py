"""Who gives a number to a connection waits for who is at work with it, and for nobody else; nor for the dead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support import ROOT

HERE = Path(__file__).resolve().parent
NATIVE = ROOT / "layer" / "native"
WANTED = [
    "free claimed",
    "at work claimed, afterwards",
    "at work elsewhere claimed, meanwhile",
    "left by many claimed",
    "places left",
]


def test_crossing(tmp_path: Path) -> None:
    program = tmp_path / "crossing"
    options = ["-std=gnu11", "-O1", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-pthread"]
    sources = ["-I", str(NATIVE), str(HERE / "harness" / "crossing.c"), str(NATIVE / "crossing.c")]
    subprocess.run([sys.executable, "-m", "ziglang", "cc", *options, *sources, "-o", str(program)], check=True)
    assert subprocess.check_output([program], text=True, timeout=60).splitlines() == WANTED
