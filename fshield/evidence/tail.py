"""What ``fshield tail`` shows: which events, and a log group as it grows."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from fshield.evidence.callers import Askers
from fshield.evidence.cloudwatch import LogGroup, Window
from fshield.evidence.stream import Record

# : CloudWatch may show an event later than others with a later time: so far back is asked for
# again. No document names a
#: bound; Lambda hands its lines over within seconds.
LATE = timedelta(seconds=90)
#: Message ids that are kept to tell what was shown already.
MAX_SHOWN = 50_000


@dataclass
class Wanted:
    """Which events to show. Empty sets: any.

    Args:
        rules: rules, as events' ``policy`` names them.
        modes: what was done: ``block``, ``alert``, ``allow``.
        dependencies: packages anywhere on the stack that asked.
    """

    rules: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    dependencies: frozenset[str] = frozenset()
    _askers: Askers = field(default_factory=Askers)

    def __call__(self, record: Record) -> bool:
        """Whether to show `record`. What is about no act (``armed``, ``refused``) is where
        nothing is asked for; what was cut short is always, as nobody knows what it was."""
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
            *self._askers.chain(event),
            str((event.get("origin") or {}).get("distribution") or ""),
        }


def folded(events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """`events`, with those that say the same one after the other as one, counted."""
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
    """What an event of an act says besides when; of others, something that equals nothing."""
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
    """The messages of `group` from `since` on, and then what is added, for ever. Each once, though
    CloudWatch is asked for the last minute and a half again: it does not keep to the order of time.

    Args:
        group: what to read.
        since: where to begin.
        every: seconds between two questions. FilterLogEvents has a quota for each account and
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
