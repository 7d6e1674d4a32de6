"""A lock is taken over from a thread that has ended, and from no other. In a forked child all locks
are free."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support import CORE, core_file

HERE = Path(__file__).resolve().parent
WANTED = [
    *("free taken", "signals wait", "signals come", "living refused", "signals come", "gone taken"),
    *("an ended thread's taken", "forked taken", "forked, another taken"),
]


def test_lock(tmp_path: Path) -> None:
    program = tmp_path / "lock"
    options = ["-std=gnu11", "-O1", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-pthread"]
    sources = ["-I", str(CORE), str(HERE / "harness" / "lock.c"), str(core_file("lock.c"))]
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", *options, *sources, "-o", str(program)], check=True
    )
    assert subprocess.check_output([program], text=True, timeout=60).splitlines() == WANTED


def test_there_is_no_other_kind() -> None:
    """Threads wait only in lock.c, with these exceptions: fd_use.c and reserved.c wait for fds,
    answering.c for a connection in use, pending.c for moves of fds, runtime_api.c for the guard's
    own copies of a socket."""
    waits = [path.name for path in CORE.rglob("*.c") if "lock_pause(" in path.read_text()]
    assert sorted(waits) == [
        "answering.c",
        "fd_use.c",
        "learnt.c",
        "lock.c",
        "pending.c",
        "reserved.c",
        "runtime_api.c",
    ]
    assert [path.name for path in CORE.rglob("*.[ch]") if "atomic_flag" in path.read_text()] == [
        "lookup_fds.c"
    ]
