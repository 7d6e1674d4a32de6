"""What the tests in the stand-in share: its image, or one line that says why they do not run."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fshield.errors import CouldNotRun
from tests import support
from tests.replica.image import debian_image, replica_image

_lacking: list[str] = []


def _found(find: Callable[[], str]) -> str:
    """The result of `find`. Without Docker the test is skipped; it fails if FSHIELD_TEST_REQUIRE
    names docker."""
    try:
        return find()
    except CouldNotRun as error:
        message = f"no stand-in for Lambda's sandbox: {error}"
        if "docker" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(","):
            pytest.fail(message, pytrace=False)
        _lacking.append(message)
        pytest.skip(message)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print that line, whatever the verbosity of pytest."""
    if _lacking:
        terminalreporter.write_line(f"tests/replica skipped: {_lacking[0]}")


@pytest.fixture(scope="session")
def image() -> str:
    """The name of the stand-in's image."""
    return _found(replica_image)


@pytest.fixture(scope="session")
def debian() -> str:
    """The name of the image made from Debian."""
    return _found(debian_image)


@pytest.fixture
def shared_path() -> Iterator[Path]:
    """A folder that the sandbox's user can read. pytest's own folders are closed to other users."""
    folder = support.SCRATCH / f"replica-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def function_folder(shared_path: Path) -> Callable[[str], Path]:
    """Make a function's folder with this text as app.py."""

    def make(text: str) -> Path:
        folder = shared_path / "function"
        folder.mkdir()
        (folder / "app.py").write_text(textwrap.dedent(text))
        return folder

    return make
