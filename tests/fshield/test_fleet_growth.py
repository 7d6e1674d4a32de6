"""`learn` over the evidence of many functions: every further function costs the same."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

from fshield.evidence.learn import learn
from fshield.evidence.own_text import read
from fshield.evidence.tiers import Tiers
from tests.fshield.recorded import Log, stack


def calls_in(work: Callable[[], object]) -> int:
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


def calls_of(functions: int) -> int:
    """The number of calls that `learn` makes over the evidence of `count` functions."""
    log = Log()
    for at in range(functions):
        log.host(f"h{at}.team-{at}.example", *stack())
        for name in ("cache", "out"):
            path = f"/tmp/team-{at}-{name}/{at}.bin"
            log.add("read_write_tmp", *stack(), path=path, operation="create")
    evidence = log.evidence()
    return calls_in(lambda: learn(evidence, Tiers(evidence)))


def test_learn_grows_with_its_evidence() -> None:
    few, more, many = (calls_of(functions) for functions in (100, 400, 700))
    assert many - more < 1.25 * (more - few), f"{few:,}, {more:,}, {many:,} calls"


def test_names_that_no_text_has_cost_little() -> None:
    log = Log()
    for at in range(200):
        log.host(f"h{at}.example")
    text = read(None, {"API": "https://H7.example/v1"}, ())
    found: list[str] = []
    calls = calls_in(
        lambda: found.extend(
            act.target for act, seen in log.evidence().acts.items() if text.names(act, seen)
        )
    )
    bare = calls_in(log.evidence)
    assert found == ["h7.example"]
    assert calls - bare < 200 * 25, f"{calls - bare:,} calls"
