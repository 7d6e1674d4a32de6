"""Removes what the acts of these tests create when no guard stops them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import UNGUARDED


def made() -> set[Path]:
    return set(Path("/tmp").glob("function-shield-*"))


@pytest.fixture(autouse=True)
def leave_nothing_behind() -> Iterator[None]:
    """Without the guard, each test succeeds in the act that it must not be able to do."""
    before = made() if UNGUARDED else set()
    yield
    for path in made() - before if UNGUARDED else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
