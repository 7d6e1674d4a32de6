"""Three seconds of the soak; `make soak` runs ten minutes."""

from __future__ import annotations

from tests.soak.soak import soak


def test_soak() -> None:
    outcome = soak(3)
    assert outcome.faults == []
    assert outcome.lines > 1
