"""A lock is taken over from a process that is gone, and from no other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support import ROOT

HERE = Path(__file__).resolve().parent
WANTED = ["free taken", "nested refused", "living refused", "gone taken", "another thread refused", "forked taken"]


def test_turn(tmp_path: Path) -> None:
    program = tmp_path / "turn"
    options = ["-std=gnu11", "-O1", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
    sources = ["-I", str(ROOT / "layer" / "native"), str(HERE / "harness" / "turn.c")]
    subprocess.run([sys.executable, "-m", "ziglang", "cc", *options, *sources, "-o", str(program)], check=True)
    assert subprocess.check_output([program], text=True, timeout=60).splitlines() == WANTED
