"""Helpers for people who test their functions under a policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from function_shield import PolicyViolation, _configure, armed

__all__ = ["blocked", "read_events", "require_guard", "without_guard"]


@contextmanager
def blocked(rule: str | None = None) -> Iterator[None]:
    """Expect that the block is refused by the guard, by ``rule`` where one is named.

    Raises:
        AssertionError: nothing was refused, or another rule refused it.
    """
    try:
        yield
    except PolicyViolation as violation:
        if rule is not None and violation.policy != rule:
            raise AssertionError(f"refused by {violation.policy}, not by {rule}") from violation
        return
    raise AssertionError("nothing was refused")


def require_guard(policy_name: str | None = None) -> None:
    """Fail a test run that is not guarded, or is guarded by another policy.

    Raises:
        AssertionError: says how to start it.
    """
    state = armed()
    if not state["armed"]:
        raise AssertionError(
            "not guarded: start the tests by `fshield run --policy POLICY -- python -m pytest`"
        )
    if policy_name is not None and state["policy_name"] != policy_name:
        raise AssertionError(f"guarded by {state['policy_name']}, not by {policy_name}")


@contextmanager
def without_guard() -> Iterator[None]:
    """Let `configure` pass in a process that is not guarded: for unit tests of code that calls
    it."""
    before = _configure._guard_optional
    _configure._guard_optional = True
    try:
        yield
    finally:
        _configure._guard_optional = before


def read_events(path: str | Path) -> list[dict[str, Any]]:
    """The guard's events in a log (FUNCTION_SHIELD_EVENTS), in order; other lines are left out."""
    events = []
    with Path(path).open(encoding="utf-8", errors="replace") as log:
        for line in log:
            if line.startswith('{"function_shield":true'):
                events.append(json.loads(line))
    return events
