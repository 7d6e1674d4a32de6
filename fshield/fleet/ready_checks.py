"""``fshield ready``: decides whether a function that only reports has reported enough to enforce
its policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from fshield.evidence.acts import act_of, is_import, kinds, second_of
from fshield.evidence.known import SOURCE_READERS
from fshield.evidence.shapes import NEVER, Moment, gathered
from fshield.evidence.stream import Record
from fshield.language.callers import plain

#: The number of kinds of acts to distinguish; further ones are only counted. A function with so
#: many is not ready.
MAX_KINDS = 5000
#: The keys of `details` that distinguish destinations.
_NETWORK = frozenset({"outbound_connectivity", "runtime_api"})
#: Under `default`, and under policies from `learn`, their reads of the handler's source make no
#: event.
_QUIET = frozenset(map(plain, SOURCE_READERS))


@dataclass(frozen=True)
class Wanted:
    """The conditions for a go.

    Args:
        days: from the first armed event to now.
        cold_starts: armed events.
        quiet_days: since the last act of a kind not seen before.
    """

    days: float = 7
    cold_starts: int = 20
    quiet_days: float = 3


@dataclass
class Kind:
    """Acts with the same rule, object and caller.

    Args:
        would_block: the policy says `block`, and a dry run let the act pass; False: the policy says
            `alert`.
        second: in how many of them it was the second path of an act.
    """

    policy: str
    target: str
    origin: str
    would_block: bool
    first: datetime
    last: datetime
    count: int = 0
    second: int = 0

    @property
    def times(self) -> int:
        """How often, as it adds up with other kinds: an act on two paths counts for the first."""
        return self.count - self.second

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "policy": self.policy,
            "object": self.target,
            "origin": self.origin,
            "would_block": self.would_block,
            "first": _text(self.first),
            "last": _text(self.last),
            "count": self.count,
        }


@dataclass
class Seen:
    """The evidence in a function's events.

    Args:
        armed: cold starts that only reported: under a dry run, or a policy that has only reported
            so far.
        enforced: the number of blocked acts.
        refused: starts that did not happen.
        disabled: starts without a guard.
        ignored: starts that ignored FUNCTION_SHIELD_MODE.
        lost: events that did not reach the log.
        more: acts beyond MAX_KINDS kinds.
    """

    armed: int = 0
    first: datetime | None = None
    last: datetime | None = None
    policies: dict[str, int] = field(default_factory=dict)
    kinds: dict[tuple[str, str, str, bool], Kind] = field(default_factory=dict)
    enforced: int = 0
    refused: int = 0
    disabled: int = 0
    ignored: int = 0
    lost: int = 0
    more: int = 0

    def take(self, event: Mapping[str, Any], events: int = 1, last: datetime | None = None) -> None:
        """Take one event, normalised, or a row that stands for `events`, the last of them at
        `last`.
        """
        at = _time(event.get("timestamp"))
        if at is None:
            return
        until = last or at
        self.lost += int(event.get("lost") or 0)
        kind = event["event"]
        if kind == "armed":
            self.armed += events
            self.first = min(self.first or at, at)
            self.last = max(self.last or until, until)
            policy = str(event.get("policy_name") or "?")
            self.policies[policy] = self.policies.get(policy, 0) + events
        elif kind == "violation":
            self._violation(event, at, until)
        elif kind == "refused":
            self.refused += events
        elif kind == "disabled":
            self.disabled += events
        elif kind == "override_ignored":
            self.ignored += events

    def _violation(self, event: Mapping[str, Any], at: datetime, until: datetime) -> None:
        if event.get("mode") == "block":
            self.enforced += event["count"]
            return
        origin = event.get("origin") or {}
        who = str(origin.get("distribution") or origin.get("file") or "?")
        rule = str(event.get("policy") or "?")
        quiet = plain(who) in _QUIET and not is_import(str(origin.get("file") or ""))
        if rule == "read_handler" and quiet:
            return
        would_block = event.get("policy_mode") == "block"
        moment = Moment(at.timestamp(), str(event.get("requestId") or ""))
        first = target(event, moment)
        self._kind((rule, first, who, would_block), event["count"], at, until)
        second, _ = second_of(event, moment)
        if second is not None and second.target != first:
            self._kind((rule, second.target, who, would_block), event["count"], at, until, True)

    def _kind(
        self,
        key: tuple[str, str, str, bool],
        count: int,
        at: datetime,
        until: datetime,
        second: bool = False,
    ) -> None:
        known = self.kinds.get(key)
        if known is None:
            if len(self.kinds) >= MAX_KINDS:
                self.more += 0 if second else count
                return
            known = self.kinds[key] = Kind(*key, at, at)
        known.count += count
        known.second += count if second else 0
        # Lines of several streams are not in order.
        known.first, known.last = min(known.first, at), max(known.last, until)


def kinds_of(seen: Seen) -> list[Kind]:
    """The kinds that were seen. Merges names under /tmp as `learn` does, and a connection with its
    lookup (which has no port in Node.js).
    """
    dialled = {
        (kind.policy, kind.target.rpartition(":")[0], kind.would_block)
        for kind in seen.kinds.values()
        if kind.policy in _NETWORK
    }
    found = [
        kind
        for kind in seen.kinds.values()
        if (kind.policy, kind.target, kind.would_block) not in dialled
    ]
    paths = gathered(kind.target for kind in found if kind.policy == "read_write_tmp")
    out: dict[tuple[str, str, str, bool], Kind] = {}
    for kind in found:
        name = (
            paths.get(kind.target, kind.target) if kind.policy == "read_write_tmp" else kind.target
        )
        key = (kind.policy, name, kind.origin, kind.would_block)
        known = out.get(key)
        if known is None:
            out[key] = replace(kind, target=name)
            continue
        known.count += kind.count
        known.second += kind.second
        known.first, known.last = min(known.first, kind.first), max(known.last, kind.last)
    return list(out.values())


def target(event: Mapping[str, Any], moment: Moment = NEVER) -> str:
    """The target of an act for people; for generated names, their pattern.

    Args:
        event: normalised.
        moment: when it happened, and by which request.
    """
    details = event["details"]
    if event.get("policy") == "read_write_tmp":
        act, _ = act_of(event, moment=moment)
        return act.target if act and act.target else "?"
    if event.get("policy") in _NETWORK:
        where = str(details.get("host") or details.get("ip") or "?")
        return f"{where}:{details['port']}" if details.get("port") else where
    if event.get("policy") == "create_child_process":
        return str(details.get("path") or details.get("operation") or "?")
    return f"{details.get('operation') or ''} {details.get('path') or '?'}".strip()


@dataclass(frozen=True)
class Check:
    """One condition: what was found, what is required, and whether it is met."""

    name: str
    found: str
    wanted: str
    holds: bool

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"check": self.name, "found": self.found, "wanted": self.wanted, "ok": self.holds}


def checks(
    seen: Seen, wanted: Wanted, now: datetime, blocked: list[Blocked] | None = None
) -> list[Check]:
    """The conditions for a go. `blocked`: what the policy to enforce would block; only that counts.
    None: there is no such policy, and every kind counts.
    """
    days = (now - seen.first) / timedelta(days=1) if seen.first else 0.0
    counted: list[Kind] | list[Blocked] = kinds_of(seen) if blocked is None else blocked
    newest = max((each.first for each in counted), default=None)
    quiet = (now - newest) / timedelta(days=1) if newest else days
    number, acts = len(counted), sum(each.times for each in counted) + seen.more
    amount = f"{kinds(number)}, ×{acts}" if number or seen.more else "nothing"
    found = [
        Check(
            "days under observation", f"{days:.1f}", f"{wanted.days:g} or more", days >= wanted.days
        ),
        Check(
            "cold starts seen",
            str(seen.armed),
            f"{wanted.cold_starts} or more",
            seen.armed >= wanted.cold_starts,
        ),
        Check(
            "last new kind of act",
            f"{quiet:.1f} days ago" if newest else "none",
            f"{wanted.quiet_days:g} days ago or more",
            newest is None or quiet >= wanted.quiet_days,
        ),
        Check("would have been blocked", amount, "nothing", not number and not seen.more),
        Check("starts refused", str(seen.refused), "0", not seen.refused),
    ]
    if seen.disabled:
        found.append(Check("starts without a guard", str(seen.disabled), "0", False))
    if seen.ignored:
        found.append(Check("mode asked for and ignored", str(seen.ignored), "0", False))
    if seen.lost:
        found.append(Check("events lost", str(seen.lost), "0", False))
    return found


@dataclass(frozen=True)
class Blocked:
    """An act that went through and that the policy to enforce would block.

    Args:
        what: the act in words.
        rule: ``FILE:LINE`` that decides, or the engine's reason.
        first: when it was seen first.
    """

    what: str
    rule: str
    count: int
    first: datetime

    @property
    def times(self) -> int:
        """As `count`: of an act on two paths, one is counted."""
        return self.count

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"act": self.what, "rule": self.rule, "count": self.count}


def seen_in(records: Iterable[Record]) -> Seen:
    """Read `records` in constant memory."""
    seen = Seen()
    for record in records:
        last = record.last and datetime.fromtimestamp(record.last, timezone.utc)
        seen.take(record.event, record.events, last or None)
    return seen


def _time(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)


def _text(at: datetime) -> str:
    return at.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
