"""What ``fshield tail`` shows: selects events, and follows a log group."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from fshield.evidence.callers import Packages
from fshield.evidence.cloudwatch import LogGroup, Window
from fshield.evidence.stream import Record

#: CloudWatch can return an event after others with a later time, so each query goes back this far.
#: No document names a bound; Lambda delivers its lines within seconds.
LATE = timedelta(seconds=90)
#: The number of message ids that are remembered, to show no message twice.
MAX_SHOWN = 50_000


@dataclass
class Wanted:
    """Which events to show. Empty sets: any.

    Args:
        rules: rules, as events' ``policy`` names them.
        modes: what was done: ``block``, ``alert``, ``allow``.
        dependencies: packages anywhere on the caller's stack.
    """

    rules: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    dependencies: frozenset[str] = frozenset()
    _packages: Packages = field(default_factory=Packages)

    def __call__(self, record: Record) -> bool:
        """Whether to show `record`. Events that are not about an act (``armed``, ``refused``) are
        shown only if nothing was selected. Events that were cut are always shown, because they may
        be about anything.
        """
        event = record.event
        if event["event"] == "unreadable":
            return True
        if self.rules and event.get("policy") not in self.rules:
            return False
        if self.modes and event.get("mode") not in self.modes:
            return False
        return not self.dependencies or bool(self.dependencies & self._names(event))

    def _names(self, event: dict[str, Any]) -> set[str]:
        return {
            *self._packages.chain(event),
            str((event.get("origin") or {}).get("distribution") or ""),
        }


def folded(events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """`events`, with equal ones in a row merged into one with a count."""
    last: dict[str, Any] | None = None
    for event in events:
        if last is not None and _says(event) == _says(last):
            last = {**last, "count": last["count"] + event["count"], "repeats": False}
            continue
        if last is not None:
            yield last
        last = event
    if last is not None:
        yield last


def _says(event: Mapping[str, Any]) -> tuple[object, ...]:
    """The content of an act's event without its time. For other events, something that equals
    nothing.
    """
    if event["event"] not in ("violation", "allowed"):
        return (object(),)
    origin = event.get("origin") or {}
    keys = ("event", "message", "mode", "policy_mode", "rule", "pid", "nonce", "lost")
    return (*(event.get(key) for key in keys), origin.get("file"), origin.get("line"))


def growing(
    group: LogGroup,
    since: datetime,
    every: float,
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Mapping[str, Any]]:
    """The messages of `group` from `since` on, and new ones as they arrive, without end. Each is
    returned once, although each query also covers the last minute and a half, because CloudWatch
    does not keep the order of time.

    Args:
        group: what to read.
        since: where to begin.
        every: seconds between two queries. FilterLogEvents has a quota for each account and
            region.
        now, sleep: the clock.
    """
    shown: OrderedDict[str, None] = OrderedDict()
    begin = since
    while True:
        asked_at = now()
        for message in group.messages(Window(begin, asked_at + timedelta(minutes=1))):
            key = str(message.get("eventId") or (message.get("timestamp"), message.get("message")))
            if key in shown:
                continue
            shown[key] = None
            if len(shown) > MAX_SHOWN:
                shown.popitem(last=False)
            yield message
        begin = max(since, asked_at - LATE)
        sleep(every)
