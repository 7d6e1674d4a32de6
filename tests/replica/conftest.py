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
from tests.replica.image import replica_image


@pytest.fixture(scope="session")
def image() -> str:
    """The image's name. Where there is no Docker: skipped, or failed where FSHIELD_TEST_REQUIRE names docker."""
    try:
        return replica_image()
    except CouldNotRun as error:
        if "docker" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(","):
            pytest.fail(f"the stand-in for Lambda's sandbox is required: {error}", pytrace=False)
        pytest.skip(f"no stand-in for Lambda's sandbox: {error}")


@pytest.fixture
def shared_path() -> Iterator[Path]:
    """A folder that the sandbox's user can read: pytest's own are closed to others."""
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
