"""What the tests of the policy tools share: the decide library of this tree, and short ways to make
policies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.errors import Finding, PolicyError
from fshield.language.loader import load

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layer"
#: The Python that has the compiler: the environment under test may lack it.
BUILDER = os.environ.get("FSHIELD_TEST_BUILDER", sys.executable)


@pytest.fixture(scope="session", autouse=True)
def decide_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Compile the current policy.c, and use it in all tests. An earlier build would prove
    nothing."""
    out = tmp_path_factory.mktemp("decide") / "libdecide.so"
    subprocess.run([BUILDER, "zig.py", "decide", "--out", str(out)], cwd=LAYER, check=True)
    patch = pytest.MonkeyPatch()
    patch.setenv(native.VARIABLE, str(out))
    yield out
    patch.undo()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Write a policy to ``p.yaml``."""

    def write_policy(content: str | bytes) -> Path:
        path = tmp_path / "p.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_policy


@pytest.fixture
def refused(write: Callable[[str | bytes], Path]) -> Callable[[str | bytes], Finding]:
    """The single finding with which a policy is refused."""

    def load_refused(content: str | bytes) -> Finding:
        with pytest.raises(PolicyError) as caught:
            load(write(content))
        return caught.value.finding

    return load_refused


@pytest.fixture
def compiled(write: Callable[[str | bytes], Path]) -> Callable[[str], native.Compiled]:
    """Compile a policy, and read it as the engine does."""

    def compile_text(content: str) -> native.Compiled:
        return native.Compiled(compile_policy(load(write(content))))

    return compile_text
