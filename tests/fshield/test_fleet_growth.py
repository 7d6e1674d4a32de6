"""`learn` over the evidence of many functions: each more costs as much as the one before."""

from __future__ import annotations

import sys
from types import FrameType

from fshield.evidence.learn import learn
from fshield.evidence.tiers import Tiers
from tests.fshield.recorded import Log, stack


def calls_of(functions: int) -> int:
    """How many calls `learn` makes over the evidence of so many functions."""
    log = Log()
    for at in range(functions):
        log.host(f"h{at}.team-{at}.example", *stack())
        for name in ("cache", "out"):
            path = f"/tmp/team-{at}-{name}/{at}.bin"
            log.add("read_write_tmp", *stack(), path=path, operation="create")
    evidence = log.evidence()
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        learn(evidence, Tiers(evidence))
    finally:
        sys.setprofile(None)
    return counted


def test_learn_grows_with_its_evidence() -> None:
    few, more, many = (calls_of(functions) for functions in (100, 400, 700))
    assert many - more < 1.25 * (more - few), f"{few:,}, {more:,}, {many:,} calls"
