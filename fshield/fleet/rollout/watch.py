"""Reads the events of moved functions: newly blocked acts, and starts under the new policy, which
prove that there was something to see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from fshield.evidence.cloudwatch import PATTERN
from fshield.evidence.events import harmless
from fshield.evidence.stream import EventReader, Record
from fshield.fleet.api.client import could_not
from fshield.fleet.api.patience import Patience, Stopped
from fshield.fleet.fixes import code_of
from fshield.fleet.ready_checks import target as object_of
from fshield.fleet.run import Target, in_parallel

_AT_ONCE = 8
#: The number of kinds of blocked acts to distinguish. A rollout rolls back long before.
_MAX_KINDS = 1000
#: ``2026/11/24/[7]0123…``, ``2026/11/24/name[$LATEST]0123…``: the version in a log stream's name.
_VERSION = re.compile(r"\[(\$LATEST|\d+)\]")


class Clock(Protocol):
    """Time, so that tests need none."""

    def now(self) -> datetime:
        """Now, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Stopped if the command is interrupted."""


class WallClock:
    """The real time."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Stopped."""
        self._patience.sleep(seconds)


class Source(Protocol):
    """Where events come from."""

    def records(
        self, target: Target, since: datetime, until: datetime, version: str
    ) -> Iterable[Record]:
        """A function's events, or only one version's. Raises CouldNotRun if they cannot be read."""


@dataclass(frozen=True)
class Kind:
    """A kind of blocked act: which function's, under which rule, on what, and its caller."""

    target: Target
    rule: str
    object: str
    origin: str

    @property
    def words(self) -> str:
        """The kind in words."""
        where = f"{self.target.place.label} {self.target.name}"
        if self.rule == "refused":
            return f"{where} does not start: {harmless(self.object)}"
        return f"{where}: {self.rule} {harmless(self.object)} by {harmless(self.origin)}"

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "function": self.target.name,
            **self.target.place.as_dict(),
            "policy": self.rule,
            "object": self.object,
            "origin": self.origin,
        }


@dataclass
class Sight:
    """What the events of a period show.

    Args:
        blocked: counts of blocked acts and refused starts, by kind.
        starts: cold starts under one of the new policies.
        started: the functions that had one.
    """

    blocked: dict[Kind, int] = field(default_factory=dict)
    starts: int = 0
    started: set[Target] = field(default_factory=set)

    def new(self, known: Collection[Kind]) -> dict[Kind, int]:
        """The kinds that are blocked now, but were not before."""
        return {kind: count for kind, count in self.blocked.items() if kind not in known}


class Watch:
    """Watches functions.

    Args:
        source: their events.
        policies: SHA-256 of the new policies.
    """

    def __init__(self, source: Source, policies: Collection[str]) -> None:
        self._source = source
        self._policies = policies
        #: Processes that started under another policy, before the move.
        self._old: set[str] = set()

    def look(
        self,
        targets: Sequence[Target],
        since: datetime,
        until: datetime,
        versions: Mapping[Target, str] | None = None,
    ) -> Sight:
        """Read the functions' events. Raises CouldNotRun, and Stopped.

        Args:
            versions: the version of each to watch; None: all versions.
        """
        sight = Sight()
        only = versions or {}

        def read(target: Target) -> list[Record]:
            return [
                record
                for record in self._source.records(target, since, until, only.get(target, ""))
                if record.doubt is None and record.function in ("", target.name)
            ]

        for target, records in in_parallel(targets, read, _AT_ONCE, lambda: True):
            for record in records:
                self._take(sight, target, record)
        return sight

    def _take(self, sight: Sight, target: Target, record: Record) -> None:
        event = record.event
        kind = event["event"]
        if kind == "armed":
            if event.get("policy_sha256") in self._policies:
                sight.starts += 1
                sight.started.add(target)
            elif record.process:
                self._old.add(record.process)
        elif kind == "refused":
            _count(sight, Kind(target, "refused", str(event.get("message") or "?")[:200], ""), 1)
        elif kind == "violation" and event.get("mode") == "block":
            if record.process and record.process in self._old:
                return
            origin = event.get("origin") or {}
            who = str(origin.get("distribution") or origin.get("file") or "?")
            rule = str(event.get("policy") or "?")
            _count(sight, Kind(target, rule, object_of(event), who), event["count"])


def _of_version(message: Mapping[str, Any], version: str) -> bool:
    """Whether a message is from a version, by the name of its log stream. True if that names
    none.
    """
    named = _VERSION.search(str(message.get("logStreamName") or ""))
    return not named or named[1] == version


def _count(sight: Sight, kind: Kind, times: int) -> None:
    if kind in sight.blocked or len(sight.blocked) < _MAX_KINDS:
        sight.blocked[kind] = sight.blocked.get(kind, 0) + times


class CloudWatch:
    """Events from functions' log groups.

    Args:
        clients: for each place CloudWatch Logs.
        groups: for each function its log group.
        patience: for each place.
    """

    def __init__(
        self,
        clients: Callable[[Target], Any],
        groups: Mapping[Target, str],
        patience: Callable[[Target], Patience],
    ) -> None:
        self._clients = clients
        self._groups = groups
        self._patience = patience

    def records(
        self, target: Target, since: datetime, until: datetime, version: str
    ) -> Iterator[Record]:
        """A function's events; none if it has no log group yet. Raises CouldNotRun, Stopped."""
        group = self._groups.get(target) or f"/aws/lambda/{target.name}"
        messages = self._messages(target, group, since, until)
        if version:
            messages = (each for each in messages if _of_version(each, version))
        yield from EventReader().messages(messages, group)

    def _messages(
        self, target: Target, group: str, since: datetime, until: datetime
    ) -> Iterator[Mapping[str, Any]]:
        asked: dict[str, Any] = {
            "logGroupName": group,
            "startTime": int(since.timestamp() * 1000),
            "endTime": int(until.timestamp() * 1000),
            "filterPattern": PATTERN,
        }
        client, patience = self._clients(target), self._patience(target)
        while True:
            try:
                page: Any = patience.call(partial(client.filter_log_events, **asked))
            except Stopped:
                raise
            except (ClientError, BotoCoreError) as error:
                if isinstance(error, ClientError) and code_of(error) == "ResourceNotFoundException":
                    return
                raise could_not(error) from error
            yield from page.get("events", ())
            if not page.get("nextToken"):
                return
            asked["nextToken"] = page["nextToken"]
