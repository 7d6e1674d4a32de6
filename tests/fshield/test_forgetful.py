"""`learn` and `fix` propose `mode: ephemeral` for /tmp if invocations used only files that they had
made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fshield.evidence.acts import Evidence
from fshield.evidence.fix import fix
from fshield.evidence.forgetful import Forgetful
from fshield.evidence.learn import learn
from fshield.evidence.stream import Record
from fshield.evidence.tiers import Tiers

ACT = tuple[str, str, str]


def event(request: str, operation: str, path: str, rule: str = "read_write_tmp") -> dict[str, Any]:
    return {
        "event": "violation",
        "policy": rule,
        "mode": "alert",
        "reason": "no_rule",
        "requestId": request or None,
        "details": {"path": path, "operation": operation},
        "origin": {"distribution": "app", "file": "/var/task/app.py", "line": 3, "stack": []},
        "count": 1,
    }


def judged(*acts: ACT) -> Forgetful:
    found = Forgetful()
    for act in acts:
        found.take(event(*act))
    return found


PROPOSED: list[tuple[ACT, ...]] = [
    (("a", "create", "/tmp/x"), ("a", "open", "/tmp/x"), ("b", "create", "/tmp/y/z")),
    (("a", "create", "/tmp/x"), ("a", "list", "/tmp"), ("a", "rename", "/tmp/final")),
]
NOT_PROPOSED: list[tuple[tuple[ACT, ...], str]] = [
    ((("a", "create", "/tmp/x"), ("b", "open", "/tmp/x")), "that had not made it"),
    ((("", "create", "/tmp/x"), ("a", "create", "/tmp/y")), "outside an invocation"),
    ((("a", "rename", "/tmp/x"),), "that had not made it"),
    ((("a", "list", "/tmp"),), "nothing was used"),
]


@pytest.mark.parametrize("acts", PROPOSED)
def test_proposed(acts: tuple[ACT, ...]) -> None:
    found = judged(*acts)
    assert found.against == ""
    assert "mode: ephemeral" in found.proposal


@pytest.mark.parametrize(("acts", "why"), NOT_PROPOSED)
def test_not_proposed(acts: tuple[ACT, ...], why: str) -> None:
    found = judged(*acts)
    assert why in found.against
    assert found.proposal == ""


def renamed(request: str, path: str, to: str) -> dict[str, Any]:
    shown = event(request, "rename", path)
    return {**shown, "details": {**shown["details"], "to": to}}


def test_a_rename_makes_its_second_name() -> None:
    found = judged(("a", "create", "/tmp/x.part"), ("b", "create", "/tmp/y"))
    found.take(renamed("a", "/tmp/x.part", "/tmp/x"))
    found.take(event("a", "open", "/tmp/x"))
    assert found.against == ""
    found.take(renamed("b", "/tmp/old", "/tmp/new"))
    assert found.against == "/tmp/old was used by an invocation that had not made it"
    inside = judged(("a", "create", "/tmp/x.part"))
    inside.take(renamed("a", "/tmp/x.part", "/tmp/there/x"))
    assert inside.against == "/tmp/there/x was used by an invocation that had not made it"


def test_what_was_executed_there_is_no_reason_to_forget() -> None:
    found = judged(("a", "create", "/tmp/tool"))
    found.take(event("a", "execute", "/tmp/tool", "create_child_process"))
    assert "executed" in found.against


def test_learn_and_fix_say_it(tmp_path: Path) -> None:
    evidence = Evidence()
    evidence.packages.own.add("app")
    for line, request in enumerate(("first-request", "second-request"), 1):
        act = event(request, "create", f"/tmp/report-{request}.pdf")
        evidence.take(Record(act, "-", line, None, "", None))
    learnt = learn(evidence, Tiers(evidence))
    assert learnt.lines
    assert "each of 2 invocations" in learnt.proposal
    assert "mode: ephemeral" in learnt.text("learnt")
    policy = tmp_path / "own.yaml"
    policy.write_text("version: 1\npolicy:\n  default: block\n")
    assert fix(policy, evidence, None, Tiers(evidence)).proposal == learnt.proposal
