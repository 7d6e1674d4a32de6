"""The fixture ``function_shield``: gives a test the events of its own process. Standard
library and pytest only, because it lives under the guard, where every import is an act of the
test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: Packages of the test runner, whose acts are not the test's.
_RUNNER = frozenset({"pytest", "_pytest", "pluggy", "iniconfig", "fshield"})
_BEGIN = b'{"function_shield":true'

Event = dict[str, Any]


class FunctionShield:
    """The events of a test's process, and assertions on them.

    Repeats of an act are counted by the guard and written at the end: a kind of act is one event
    here.

    Args:
        path: where the guard writes them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def events(self) -> list[Event]:
        """All so far, as ``docs/events.md`` describes them, without what the test runner did
        itself."""
        return [event for event in read(self._path) if not of_runner(event)]

    @property
    def violations(self) -> list[Event]:
        """What a rule blocked or reported so far, while the test's file was imported included."""
        return [event for event in self.events if event.get("event") == "violation"]

    def matching(self, policy: str | None = None, **wanted: object) -> list[Event]:
        """The violations of a rule with these details.

        Args:
            policy: the rule: ``outbound_connectivity``, ``read_write_tmp``, …; None for any.
            wanted: keys of ``details`` (``host``, ``port``, ``path``, …) or of the event
                (``mode``), or ``distribution``: who asked.
        """
        return [
            event
            for event in self.violations
            if policy in (None, event.get("policy"))
            and all(_has(event, *pair) for pair in wanted.items())
        ]

    def assert_blocked(self, policy: str | None = None, **wanted: object) -> None:
        """Fail unless such an act was blocked. Arguments as in `matching`."""
        __tracebackhide__ = True
        if not self.matching(policy, mode="block", **wanted):
            raise AssertionError(
                f"nothing was blocked like {_words(policy, wanted)}: {self._saw()}"
            )

    def assert_reported(self, policy: str | None = None, **wanted: object) -> None:
        """Fail unless such an act was blocked or reported. Arguments as in `matching`."""
        __tracebackhide__ = True
        if not self.matching(policy, **wanted):
            raise AssertionError(
                f"nothing was reported like {_words(policy, wanted)}: {self._saw()}"
            )

    def assert_quiet(self, policy: str | None = None, **wanted: object) -> None:
        """Fail if such an act was blocked or reported; with no arguments, if any was."""
        __tracebackhide__ = True
        found = self.matching(policy, **wanted)
        if found:
            raise AssertionError(
                "\n".join(["this was reported:", *(str(event.get("message")) for event in found)])
            )

    def _saw(self) -> str:
        seen = [str(event.get("message")) for event in self.violations]
        return "\n".join(["there was", *seen]) if seen else "there was nothing"


def read(path: Path) -> list[Event]:
    """The events in a file; lines that are none, or not whole yet, are left out."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    found = []
    for line in content.split(b"\n"):
        if line.startswith(_BEGIN):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            found.append(event)
    return found


def of_runner(event: Event) -> bool:
    """The test runner acted for itself: no other code is on the stack."""
    origin = event.get("origin")
    if not isinstance(origin, dict) or origin.get("distribution") not in _RUNNER:
        return False
    parts = ("/_pytest/", "/pluggy/", "/pytest/", "/fshield/", "/iniconfig/")
    return all(any(part in frame for part in parts) for frame in origin.get("stack") or ())


def _has(event: Event, key: str, value: object) -> bool:
    if key == "distribution":
        return bool((event.get("origin") or {}).get("distribution") == value)
    details = event.get("details") or {}
    return bool((details[key] if key in details else event.get(key)) == value)


def _words(policy: str | None, wanted: dict[str, object]) -> str:
    words = [f"{key}={value!r}" for key, value in wanted.items()]
    return ", ".join([policy or "any act", *words])
