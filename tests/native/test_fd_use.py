"""A thread that puts a connection at an fd waits for the threads that are using this fd, but not
for others, and not for threads that have ended.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

from tests.support import CORE, ROOT, core_file

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "layer"))
doors = importlib.import_module("zig").doors
WANTED = [
    "free claimed",
    "at work claimed, afterwards",
    "at work elsewhere claimed, meanwhile",
    "jumped out no growth",
    "cancelled no growth",
    "left by many claimed",
    "places left",
]


def test_fd_use(tmp_path: Path) -> None:
    program = tmp_path / "fd_use"
    options = ["-std=gnu11", "-O1", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-pthread"]
    doors.write(tmp_path)
    units = [str(core_file(f"{name}.c")) for name in ("fd_use", "lock", "marks", "text")]
    sources = ["-I", str(CORE), "-I", str(tmp_path), str(HERE / "harness" / "fd_use.c"), *units]
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", *options, *sources, "-o", str(program)], check=True
    )
    assert subprocess.check_output([program], text=True, timeout=60).splitlines() == WANTED
