"""Every act of the standard library, bare and guarded: the same result, one event, and the right
origin."""

from __future__ import annotations

import os
import subprocess
import zlib
from functools import cache
from pathlib import Path

import pytest

from tests.stdlib.walk import CannotImport, Row, problems, rows, version
from tests.support import interpreters

# `all`, or versions such as FSHIELD_ACTS=3.9,3.15. By default, the newest version that Lambda has.
WANTED = os.environ.get("FSHIELD_ACTS", "3.13")


@cache
def pythons() -> dict[str, Path]:
    """One interpreter for each requested version that this machine has."""
    found: dict[str, Path] = {}
    for path in interpreters():
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        name = subprocess.run(
            [path, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        if WANTED == "all" or name in WANTED.split(","):
            found.setdefault(name, path)
    return found


def cases() -> list[tuple[str, Row]]:
    return [
        (name, row)
        for name in pythons()
        for row in rows()
        if version(row.since) <= version(name) <= version(row.until)
    ]


@pytest.mark.parametrize(
    ("name", "row"), cases(), ids=lambda part: part if isinstance(part, str) else part.act
)
def test_an_act(name: str, row: Row) -> None:
    if row.needs == "root" and os.geteuid() != 0:
        pytest.skip("needs root")
    try:
        found = problems(row, pythons()[name], f"{name}-{zlib.crc32(row.act.encode()):08x}")
    except CannotImport as lacks:
        pytest.skip(str(lacks))
    assert not found, "\n".join(found)
