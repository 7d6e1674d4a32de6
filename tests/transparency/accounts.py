"""Finds the rule that explains a test's different result, in the log of a run under a blocking
policy.

The log holds the runner's lines (``python -u -m test -v``) and the guard's events, in the order of
writing. The failures with their tracebacks are at its end. A rule accounts for a test during which
it blocked something, and for a test whose traceback names it. It accounts for a class or module
whose setup it stopped. A block before the first test accounts for nothing, because the runner
itself tries to start uname.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict

EVENT = '{"function_shield":true'
# "test_x (test.test_y.Z.test_x)". Before 3.11 the last word is missing. Also "setUpClass
# (test.test_y.Z)".
STARTED = re.compile(r"^(?P<test>\w+) \((?P<place>[\w.]+)\)")
FAILED = re.compile(r"^(?:ERROR|FAIL): (?P<test>\w+) \((?P<place>[\w.]+)\)", re.MULTILINE)
VIOLATION = re.compile(r"PolicyViolation(?:: (?:\[Errno 13\] )?|\(13, ['\"])(\w+): ")
REFUSED = re.compile(
    r"Permission ?[Dd]enied|PermissionError|Errno 13|EACCES|EAI_FAIL|Non-recoverable failure"
)
SUMMED = re.compile(r"^(Result: |== Tests result: )", re.MULTILINE)
PREPARING = ""
SECTION = "=" * 70


def _name(test: str, place: str) -> str:
    """The test's name as the JUnit report spells it."""
    if test in ("setUpClass", "tearDownClass", "setUpModule", "tearDownModule"):
        return place
    return place if place.endswith(f".{test}") else f"{place}.{test}"


class Accounts:
    """What the log of one run says about each test: the rules that account for it.

    Args:
        log: the whole log.
    """

    def __init__(self, log: str) -> None:
        self.rules: dict[str, set[str]] = defaultdict(set)
        """By test, class or module: the rules of blocked events in it, or in its traceback."""
        self.refused: set[str] = set()
        """Tests that failed by a refusal that names no rule, as C code reports it."""
        self.all: set[str] = set()
        """Every rule that blocked something in this run."""
        self._read_order(log)
        for block in log.split(f"\n{SECTION}\n")[1:]:
            self._read_failure(block)
        # The runner's last line, if it has no other.
        last = log.rpartition("Traceback (most recent call last)")[2]
        self.ended = [] if SUMMED.search(log) else VIOLATION.findall(last)

    def _read_order(self, log: str) -> None:
        current = PREPARING
        for line in log.splitlines():
            before, found, rest = line.partition(EVENT)
            started = STARTED.match(before or line)
            if started:
                current = _name(started["test"], started["place"])
            elif line == SECTION:
                current = PREPARING
            if current:
                # The reason for which a test was skipped.
                self.rules[current] |= set(VIOLATION.findall(before))
            if not found:
                continue
            try:
                event = json.loads(found + rest)
            except ValueError:
                continue
            if event.get("event") == "violation" and event.get("mode") == "block":
                self.all.add(event["policy"])
                if not event.get("repeats"):
                    self.rules[current].add(event["policy"])

    def _read_failure(self, block: str) -> None:
        failed = FAILED.search(block)
        if not failed:
            return
        name = _name(failed["test"], failed["place"])
        self.rules[name] |= set(VIOLATION.findall(block))
        if REFUSED.search(block):
            self.refused.add(name)

    def of(self, name: str) -> str | None:
        """The rule that accounts for a difference of the test `name`, or None. The name "exit
        status" stands for the whole run."""
        if name == "exit status":
            return ", ".join(sorted(self.all)) or None
        if self.rules.get(name):
            return ", ".join(sorted(self.rules[name]))
        if name in self.refused and self.all:
            return f"a refusal, of {' or '.join(sorted(self.all))}"
        place = name
        while "." in place:
            place = place.rpartition(".")[0]
            if self.rules.get(place):
                return f"{', '.join(sorted(self.rules[place]))} in what prepares {place}"
        return f"{self.ended[-1]} ended the run" if self.ended else None
