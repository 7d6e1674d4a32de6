"""Three seconds of each soak. `make soak` runs ten minutes."""

from __future__ import annotations

import shutil

import pytest

from tests.egress.network import Network, NoNetwork
from tests.soak import lookups
from tests.soak.soak import BUILD, address_layer, soak


def test_soak() -> None:
    outcome = soak(3)
    assert outcome.faults == []
    assert outcome.lines > 1


def test_lookups() -> None:
    try:
        outcome = lookups.soak(3)
    except NoNetwork as problem:
        pytest.skip(str(problem))
    assert outcome.faults == []


@pytest.mark.skipif(shutil.which("clang") is None, reason="needs clang for the sanitizer")
def test_a_planted_mistake_is_found() -> None:
    """The soak under AddressSanitizer can fail."""
    folder = BUILD / "planted"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        Network(folder).close()
    except NoNetwork as problem:
        pytest.skip(str(problem))
    outcome = soak(3, address_layer(planted=True), address=True)
    assert len(outcome.faults) == 1
    assert "global-buffer-overflow" in outcome.faults[0]
    assert "planted.c" in outcome.faults[0]
