"""``fshield ready``: whether a function that only reports has reported enough to be enforced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

#: Kinds of acts that are told apart; more are counted, and said to be more. A function with so many is not ready.
MAX_KINDS = 5000
#: The part of an object that makes it another destination.
_NETWORK = frozenset({"outbound_connectivity", "runtime_api"})


@dataclass(frozen=True)
class Wanted:
    """What makes it a go.

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
    """Acts of one kind: rule, object and who asked.

    Args:
        would_block: the policy in force says `block`, and a dry run let it pass; False: the policy says `alert`.
    """

    policy: str
    target: str
    origin: str
    would_block: bool
    first: datetime
    last: datetime
    count: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "policy": self.policy, "object": self.target, "origin": self.origin, "would_block": self.would_block,
            "first": _text(self.first), "last": _text(self.last), "count": self.count,
        }  # fmt: skip


@dataclass
class Seen:
    """What the events of a function say.

    Args:
        armed: cold starts that only reported: under a dry run, or a policy that has only reported so far.
        enforced: acts that were stopped.
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

    def take(self, event: Mapping[str, Any]) -> None:
        """One event, normalised."""
        at = _time(event.get("timestamp"))
        if at is None:
            return
        self.lost += int(event.get("lost") or 0)
        kind = event["event"]
        if kind == "armed":
            self.armed += 1
            self.first = min(self.first or at, at)
            self.last = max(self.last or at, at)
            policy = str(event.get("policy_name") or "?")
            self.policies[policy] = self.policies.get(policy, 0) + 1
        elif kind == "violation":
            self._violation(event, at)
        elif kind == "refused":
            self.refused += 1
        elif kind == "disabled":
            self.disabled += 1
        elif kind == "override_ignored":
            self.ignored += 1

    def _violation(self, event: Mapping[str, Any], at: datetime) -> None:
        if event.get("mode") == "block":
            self.enforced += event["count"]
            return
        origin = event.get("origin") or {}
        who = str(origin.get("distribution") or origin.get("file") or "?")
        rule = str(event.get("policy") or "?")
        would_block = event.get("policy_mode") == "block"
        key = (rule, target(event), who, would_block)
        known = self.kinds.get(key)
        if known is None:
            if len(self.kinds) >= MAX_KINDS:
                self.more += event["count"]
                return
            known = self.kinds[key] = Kind(rule, key[1], who, would_block, at, at)
        known.count += event["count"]
        # Lines of several streams come in no order.
        known.first, known.last = min(known.first, at), max(known.last, at)


def target(event: Mapping[str, Any]) -> str:
    """What the act was on, as a person would name it."""
    details = event["details"]
    if event.get("policy") in _NETWORK:
        where = str(details.get("host") or details.get("ip") or "?")
        return f"{where}:{details['port']}" if details.get("port") else where
    if event.get("policy") == "create_child_process":
        return str(details.get("path") or details.get("operation") or "?")
    return f"{details.get('operation') or ''} {details.get('path') or '?'}".strip()


@dataclass(frozen=True)
class Check:
    """One condition: what was found, what is wanted, and whether it holds."""

    name: str
    found: str
    wanted: str
    holds: bool

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"check": self.name, "found": self.found, "wanted": self.wanted, "ok": self.holds}


def checks(seen: Seen, wanted: Wanted, now: datetime, blocked: list[Blocked] | None = None) -> list[Check]:
    """The conditions for a go. `blocked`: what a policy that is to be enforced would block; None: there is none."""
    days = (now - seen.first) / timedelta(days=1) if seen.first else 0.0
    newest = max(seen.kinds.values(), key=lambda kind: kind.first, default=None)
    quiet = (now - newest.first) / timedelta(days=1) if newest else days
    acts = sum(kind.count for kind in seen.kinds.values()) + seen.more
    if blocked is None:
        number = len(seen.kinds)
    else:
        number, acts = len(blocked), sum(each.count for each in blocked) + seen.more
    kinds = f"{number} kinds, {acts} acts" if number or seen.more else "nothing"
    found = [
        Check("days under observation", f"{days:.1f}", f"{wanted.days:g} or more", days >= wanted.days),
        Check("cold starts seen", str(seen.armed), f"{wanted.cold_starts} or more", seen.armed >= wanted.cold_starts),
        Check(
            "last new kind of act",
            f"{quiet:.1f} days ago" if newest else "none",
            f"{wanted.quiet_days:g} days ago or more",
            newest is None or quiet >= wanted.quiet_days,
        ),
        Check("would have been blocked", kinds, "nothing", not number and not seen.more),
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
    """What a policy that is to be enforced would block of what went through.

    Args:
        what: the act in words.
        rule: ``FILE:LINE`` that says so, or the engine's word for why.
    """

    what: str
    rule: str
    count: int

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"act": self.what, "rule": self.rule, "count": self.count}


def seen_in(events: Iterable[Mapping[str, Any]]) -> Seen:
    """What `events` say, in memory that does not grow with their number."""
    seen = Seen()
    for event in events:
        seen.take(event)
    return seen


def _time(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)


def _text(at: datetime) -> str:
    return at.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
