"""Each fuzz target builds, and its seeds break nothing. The fuzzing itself is `make fuzz`."""

from __future__ import annotations

import pytest

from tests.fuzz import run as fuzz


@pytest.mark.parametrize("target", list(fuzz.TARGETS))
def test_seeds(target: str) -> None:
    clang = fuzz.compiler()
    if clang is None:
        pytest.skip("clang and its libFuzzer are not here (Debian: clang, libclang-rt-dev)")
    done = fuzz.run(fuzz.build(clang, target), target, 0)
    assert done.returncode == 0, done.stderr[-4000:]
