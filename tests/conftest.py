"""Fixtures for tests that run programs under the layer in build/layer."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import support

# The words of FSHIELD_TEST_REQUIRE, each with a program to look for. None: the tests themselves
# check.
NEEDS: dict[str, str | None] = dict.fromkeys(
    (
        *("arm64", "census", "deploy", "docker", "egress", "native_code", "others", "page"),
        "runtimes",
        "newcomer",
    )
)
NEEDS |= {program: program for program in ("chromium", "clang", "gcc", "node", "strace")}


def _check_needs(listed: str) -> None:
    """Fail if a required program is missing."""
    for need in filter(None, listed.split(",")):
        if need not in NEEDS:
            pytest.exit(f"FSHIELD_TEST_REQUIRE: {need} is none of {', '.join(NEEDS)}", returncode=2)
        program = NEEDS[need]
        if program and shutil.which(program) is None:
            pytest.exit(
                f"FSHIELD_TEST_REQUIRE lists {need}, and there is no {program} here: install it",
                returncode=2,
            )


def pytest_sessionstart(session: pytest.Session) -> None:
    _check_needs(os.environ.get("FSHIELD_TEST_REQUIRE", ""))
    if not support.LAUNCHER.exists():
        pytest.exit(f"{support.LAUNCHER} is missing: run ./build.sh first", returncode=2)
    # build.sh's cache, where zig has its compiled C libraries. Building them takes a minute.
    os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", str(support.CACHE / "zig"))


@pytest.fixture(
    params=support.interpreters(), ids=lambda path: f"{path.parent.parent.name}-{path.name}"
)
def python(request: pytest.FixtureRequest) -> Path:
    """Each CPython of this machine in turn."""
    path: Path = request.param
    return path


@pytest.fixture
def tmp_file() -> Iterator[Path]:
    """A file under /tmp with one line in it. It is removed after the test."""
    handle, name = tempfile.mkstemp(prefix="function-shield-test-", dir="/tmp")
    os.write(handle, b"stashed\n")
    os.close(handle)
    path = Path(name)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def tmp_name() -> Iterator[Path]:
    """A path under /tmp that does not exist, and is removed after the test."""
    folder = Path(tempfile.mkdtemp(prefix="function-shield-test-", dir="/tmp"))
    path = folder.with_name(folder.name + "-made")
    folder.rmdir()
    yield path
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
