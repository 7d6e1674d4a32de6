"""The guard recognises its own memory by any address that system calls accept for it: arm64 ignores
the top byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support import CORE

HERE = Path(__file__).resolve().parent
WANTED = ["own 1", "up to it 0", "into it 1", "everything 1", "other 0", "tagged 1"]


def test_what_is_protected(tmp_path: Path) -> None:
    program = tmp_path / "protected"
    (tmp_path / "real.gen.h").touch()  # it calls no door
    options = ["-std=gnu11", "-O1", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
    options += ["-I", str(CORE), "-I", str(tmp_path)]
    source = str(HERE / "harness" / "protected.c")
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", *options, source, "-o", program], check=True
    )
    assert subprocess.check_output([program], text=True, timeout=60).splitlines() == WANTED
