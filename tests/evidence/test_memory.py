"""What the allocator in DuckDB is told."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from fshield.evidence.tables import engine

_PROGRAM = """
import os, sys
from fshield.evidence.tables.engine import connect
connect(sys.argv[1]).execute("SELECT 1")
print({name: value for name, value in os.environ.items() if name.endswith("_MALLOC_CONF")})
"""


def said(folder: Path, **more: str) -> tuple[str, str]:
    """The variables that are left in a process that uses DuckDB, and what its allocator said."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, folder],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | more,
    )
    return done.stdout.strip(), done.stderr


def test_the_allocator_takes_its_variable_and_children_do_not_inherit_it(tmp_path: Path) -> None:
    assert said(tmp_path) == ("{}", "")


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="DuckDB has no jemalloc here"
)
def test_the_variable_is_what_duckdb_reads_and_the_user_s_own_stays(tmp_path: Path) -> None:
    (name,) = engine._ALLOCATOR
    left, heard = said(tmp_path, **{name: "no_such_word:1"})
    assert left == str({name: "no_such_word:1"})
    assert "no_such_word" in heard
