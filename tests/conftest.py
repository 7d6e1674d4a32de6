"""Fixtures for tests that run programs under the layer in build/layer."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import support


def pytest_sessionstart(session: pytest.Session) -> None:
    if not support.LAUNCHER.exists():
        pytest.exit(f"{support.LAUNCHER} is missing: run ./build.sh first", returncode=2)


@pytest.fixture(params=support.interpreters(), ids=lambda path: f"{path.parent.parent.name}-{path.name}")
def python(request: pytest.FixtureRequest) -> Path:
    """Each CPython of this machine in turn."""
    path: Path = request.param
    return path


@pytest.fixture
def tmp_file() -> Iterator[Path]:
    """A file under /tmp, with a line in it, gone after the test."""
    handle, name = tempfile.mkstemp(prefix="function-shield-test-", dir="/tmp")
    os.write(handle, b"stashed\n")
    os.close(handle)
    path = Path(name)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def tmp_name() -> Iterator[Path]:
    """A path under /tmp where nothing is, and nothing stays."""
    folder = Path(tempfile.mkdtemp(prefix="function-shield-test-", dir="/tmp"))
    path = folder.with_name(folder.name + "-made")
    folder.rmdir()
    yield path
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
