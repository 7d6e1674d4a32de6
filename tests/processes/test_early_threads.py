"""Threads that start before the program's first line wait for the guard. They neither crash nor act
unguarded.
"""

from __future__ import annotations

from pathlib import Path

from tests.attacks.building import build
from tests.attacks.corpus import PROGRAMS
from tests.support import run_guarded

STARTS = 25


def test_threads_before_main(tmp_file: Path) -> None:
    program = build(PROGRAMS / "files" / "c_threads_before_main.c")
    made = f"{tmp_file}-early"
    for _ in range(STARTS):
        done = run_guarded([program], policy="strict", env={"ATTACK_NEW": made})
        assert done.returncode == 1, done.stderr
        assert done.stdout.startswith("STOPPED"), done.stdout
        assert done.of("read_write_tmp")
    assert list(Path(made).parent.glob(f"{Path(made).name}*")) == []
