"""Every Node of this machine, for the tests of runtimes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtimes.tried import others
from tests.support import nodes

NODES = [*nodes(), *(path for name, path in others().items() if name.startswith("node"))]


def node_id(path: Path) -> str:
    """The name of a Node's folder, or ``system``."""
    return next(
        (part for part in path.parts if part.startswith("node") and part != "node"), "system"
    )


@pytest.fixture(params=NODES, ids=node_id)
def node(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found
