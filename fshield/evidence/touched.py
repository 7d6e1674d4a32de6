"""What each dependency touched: evidence that keeps, for each caller, what it did, how often, when,
and with what result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from fshield.engine import decide as native
from fshield.evidence.acts import MAX_ACTS, ONLY_FOR, Act, Evidence
from fshield.evidence.callers import Caller, Chain
from fshield.evidence.dependencies import asked_as
from fshield.evidence.replay import Outcome, replay
from fshield.evidence.shapes import gathered
from fshield.evidence.stream import Record
from fshield.evidence.verdicts import met_by
from fshield.language.policy import Allow, Family, Mode, Policy

_NAMES = 1000
#: The number of functions that are kept separately.
MAX_FUNCTIONS = 20_000


@dataclass(slots=True)
class Tally:
    """The sightings of one act by one chain of packages.

    Args:
        done: counts by result: ``block``, ``alert``, ``allow``.
        first, last: seconds since 1970; 0 where no event says.
        second: of these, how often it was the second path of an act, which counts for the first.
        where: ``FILE:LINE`` of the caller.
        for_others: "allowed for stripe; asked by tintbox", if an entry is for others; else "".
    """

    done: Counter[str] = field(default_factory=Counter)
    second: Counter[str] = field(default_factory=Counter)
    first: float = 0
    last: float = 0
    where: str = ""
    for_others: str = ""

    def take(
        self, mode: str, count: int, first: float, last: float, where: str, for_others: str
    ) -> None:
        """Add a sighting."""
        self.done[mode] += count
        self._widen(first, last, where, for_others)

    def add(self, other: Tally) -> None:
        """Add `other`'s sightings."""
        done = self.done
        for mode, count in other.done.items():
            done[mode] = done.get(mode, 0) + count
        self.second.update(other.second)
        self._widen(other.first, other.last, other.where, other.for_others)

    def _widen(self, first: float, last: float, where: str, for_others: str) -> None:
        if first and (not self.first or first < self.first):
            self.first = first
        self.last = max(self.last, last)
        # Take the first in alphabetical order, because a table does not keep the log's order.
        if where and (not self.where or where < self.where):
            self.where = where
        if for_others and (not self.for_others or for_others < self.for_others):
            self.for_others = for_others


class Place(NamedTuple):
    """A function and its place; "" for parts that no event names.

    Args:
        function, account, region: as in events.
    """

    function: str
    account: str = ""
    region: str = ""


@dataclass(slots=True)
class InFunction:
    """What was done in one function.

    Args:
        rules: for each rule, counts by result; complete, even if `by` is not.
        by: acts by caller.
        left_out: sightings that `by` has no room for.
    """

    rules: dict[str, Counter[str]] = field(default_factory=dict)
    by: dict[tuple[Chain, Act], Tally] = field(default_factory=dict)
    left_out: int = 0

    def add(self, other: InFunction) -> None:
        """Add `other`'s sightings."""
        for rule, done in other.rules.items():
            self.rules.setdefault(rule, Counter()).update(done)
        for key, tally in other.by.items():
            self.by.setdefault(key, Tally()).add(tally)
        self.left_out += other.left_out


@dataclass
class Touched(Evidence):
    """Evidence that keeps acts separate by caller.

    Args:
        by: acts by caller, at most `MAX_ACTS`.
        unattributed: the number of sightings beyond that.
        fleet: the same by function, at most `MAX_ACTS` acts of `MAX_FUNCTIONS` functions.
        elsewhere: the number of sightings in further functions.
        allowed: the number of events that name the entry that allowed something.
        rules: allow entries in ``allowed`` events, with the policy's name.
        policies: names of the policies in events.
    """

    by: dict[tuple[Chain, Act], Tally] = field(default_factory=dict)
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    policies: set[str] = field(default_factory=set)
    allowed: int = 0
    unattributed: int = 0
    fleet: dict[Place, InFunction] = field(default_factory=dict)
    elsewhere: int = 0
    _kept: int = 0

    def noticed(self, act: Act, chain: Chain, record: Record, *, second: bool = False) -> None:
        """Fold one act."""
        event = record.event
        count, policy = event["count"], event.get("policy_name") or ""
        if policy and len(self.policies) < _NAMES:
            self.policies.add(policy)
        if event["event"] == "allowed" and not second:
            self.allowed += record.events
            rule = (policy, event.get("rule") or "")
            if rule in self.rules or len(self.rules) < MAX_ACTS:
                self.rules[rule] += count
        origin = event.get("origin") or {}
        where = f"{origin['file']}:{origin['line']}" if origin.get("line") else origin.get("file")
        when = record.time or 0
        mode = event.get("mode") or "?"
        seen = mode, count, when, record.last or when, where or "", _for_others(event)
        if record.function:
            place = _place(record.function, event.get("function_arn"))
            tally = self._in_function(place, chain, act, mode, count, second=second)
            if tally:
                tally.take(*seen)
                if second:
                    tally.second[mode] += count
        tally = self.by.get((chain, act))
        if tally is None:
            if len(self.by) >= MAX_ACTS:
                self.unattributed += count
                return
            tally = self.by[chain, act] = Tally()
        tally.take(*seen)
        if second:
            tally.second[mode] += count

    def _in_function(
        self, place: Place, chain: Chain, act: Act, mode: str, count: int, *, second: bool
    ) -> Tally | None:
        """The function's tally of the act; None if there is no room for it."""
        inside = self.fleet.get(place)
        if inside is None:
            if len(self.fleet) >= MAX_FUNCTIONS:
                self.elsewhere += count
                return None
            inside = self.fleet[place] = InFunction()
        done = inside.rules.get(act.rule)
        if done is None:
            done = inside.rules[act.rule] = Counter()
        done[mode] += 0 if second else count
        tally = inside.by.get((chain, act))
        if tally is None:
            if self._kept >= MAX_ACTS:
                inside.left_out += count
                return None
            self._kept += 1
            tally = inside.by[chain, act] = Tally()
        return tally

    def places(self) -> dict[Place, InFunction]:
        """The functions, sorted. Events that name a function but not its place are counted for the
        place that has this function, if there is only one.
        """
        known: dict[str, list[Place]] = {}
        for place in self.fleet:
            if place.region:
                known.setdefault(place.function, []).append(place)
        found: dict[Place, InFunction] = {}
        for place in sorted(self.fleet):
            homes = known.get(place.function, [])
            home = homes[0] if not place.region and len(homes) == 1 else place
            inside = self.fleet[place]
            if home in found:
                inside = InFunction()
                inside.add(found[home])
                inside.add(self.fleet[place])
            found[home] = inside
        return dict(sorted(found.items()))


@lru_cache(maxsize=4096)
def _place(function: str, arn: object) -> Place:
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) < 7 or parts[2] != "lambda" or parts[6] != function:
        return Place(function)
    return Place(function, parts[4], parts[3])


def _for_others(event: Mapping[str, Any]) -> str:
    if event.get("reason") != ONLY_FOR:
        return ""
    names = ", ".join((event.get("only_for") or "others").split())
    return f"allowed for {names}; asked by {event.get('asker') or 'unknown'}"


@dataclass(frozen=True)
class Touch:
    """One act of one dependency.

    Args:
        act, tally: what, how often and when.
        caller: who wanted it.
    """

    act: Act
    tally: Tally
    caller: Caller


@dataclass(frozen=True)
class Dependency:
    """A package that the function uses, or the function's own code, and everything that it touched.

    Args:
        name: the package; "" if unknown.
        label: with its version, if that is known.
        own: it is the function's own code.
        touches: the blocked first, then the most frequent.
    """

    name: str
    label: str
    own: bool
    touches: tuple[Touch, ...]

    @cached_property
    def done(self) -> Counter[str]:
        """The counts by result. An act on two paths counts once."""
        total: Counter[str] = Counter()
        for touch in self.touches:
            second = touch.tally.second
            for mode, count in touch.tally.done.items():
                total[mode] += count - second[mode]
        return total

    @cached_property
    def folded(self) -> list[Touch]:
        """What it touched, merged by `gather`."""
        return gather(self.touches)

    def of(self, *rules: str) -> int:
        """The number of its acts under these rules."""
        return len(
            {
                touch.act.place or touch.act.words
                for touch in self.touches
                if touch.act.rule in rules
            }
        )


def gather(touches: Iterable[Touch]) -> list[Touch]:
    """Merge acts with generated names under /tmp into patterns, as `learn` does; the blocked
    first.
    """
    touches = list(touches)
    patterns = gathered(touch.act.target for touch in touches if touch.act.rule == "read_write_tmp")
    found: dict[tuple[Act, Caller], Touch] = {}
    several: set[tuple[Act, Caller]] = set()
    for touch in touches:
        act = touch.act
        if act.rule == "read_write_tmp":
            pattern = patterns.get(act.target, act.target)
            act = act if pattern == act.target else replace(act, target=pattern)
        key = act, touch.caller
        known = found.get(key)
        if known is None:
            found[key] = Touch(act, touch.tally, touch.caller)
            continue
        if key not in several:
            several.add(key)
            first, known = known, Touch(act, Tally(), touch.caller)
            found[key] = known
            known.tally.add(first.tally)
        known.tally.add(touch.tally)
    return sorted(found.values(), key=_order)


def _order(touch: Touch) -> tuple[int, int, tuple[str | int, ...]]:
    done, act = touch.tally.done, touch.act
    # Equal to the dataclass's own comparison, but many times faster.
    fields = (act.rule, act.target, act.port, act.operation, act.module, act.refused)
    return -done["block"], -done.total(), fields


def owner(caller: Caller) -> tuple[str, bool]:
    """The dependency that a request belongs to, and whether it is the function's own code."""
    carried = caller.through[-1] if caller.through and caller.kind != "dependency" else ""
    return carried or caller.name, caller.kind == "own" and not carried


def label_of(evidence: Touched, name: str) -> str:
    """A dependency's name on the page."""
    return evidence.version(name) if name else "unknown caller"


def dependencies(evidence: Touched) -> list[Dependency]:
    """The dependencies, those that were blocked first. A request belongs to the package that the
    function's code called, or to the dependency that made it by itself, not to the client
    library.
    """
    found: dict[tuple[str, bool], dict[tuple[Act, Caller], Tally]] = {}
    callers = {chain: evidence.packages.of(chain) for chain, _ in evidence.by}
    for (chain, act), tally in evidence.by.items():
        caller = callers[chain]
        acts = found.setdefault(owner(caller), {})
        known = acts.get((act, caller))
        if known is None:
            known = acts[act, caller] = Tally()
        known.add(tally)
    made = []
    for (name, own), acts in found.items():
        touches = [Touch(act, tally, caller) for (act, caller), tally in acts.items()]
        touches.sort(key=_order)
        made.append(Dependency(name, label_of(evidence, name), own, tuple(touches)))
    made.sort(
        key=lambda each: (
            -each.done["block"],
            not each.name,
            -each.done["alert"],
            -each.done.total(),
            each.name,
        )
    )
    return made


@dataclass(frozen=True)
class Use:
    """An allow entry of a policy, and how often it was needed.

    Args:
        entry: as the policy has it.
        count: 0 if nobody used it.
        why: its ``reason:`` and ``owner:``, or "".
        others: callers that asked for what it allows, but that it is not for.
    """

    entry: Allow
    count: int
    why: str = ""
    others: Counter[str] = field(default_factory=Counter)


def uses(
    policy: Policy, compiled: native.Compiled, evidence: Touched, facts: native.Facts
) -> list[Use]:
    """Every allow entry of `policy`, and how often it was needed: by the engine's decision under
    the present policy, or by events of a policy with this name.
    """
    counts: Counter[tuple[str, str]] = Counter()
    others: dict[tuple[str, str], Counter[str]] = {}
    for (chain, act), tally in evidence.by.items():
        seen = evidence.acts.get(act)
        if seen is None or (not chain and any(seen.chains)):
            # Ignore the stack of a thread that looks names up for others, if there is another
            # stack.
            continue
        callers = asked_as(evidence, [chain])
        verdicts = [
            met_by(compiled, act, target, facts, callers)
            for target in sorted(seen.examples) or [act.target]
        ]
        used = next((one for one in verdicts if one.mode is Mode.ALLOW), verdicts[0])
        if used.reason == "rule" and used.source:
            counts[used.source, used.entry] += tally.done.total()
        elif used.reason == ONLY_FOR:
            asked = others.setdefault((used.entry_source, used.entry), Counter())
            asked[used.caller] += tally.done.total()
    by_rule = {rule: count for (name, rule), count in evidence.rules.items() if name == policy.name}
    found: dict[tuple[str, Family, str], Use] = {}
    on_line = Counter(
        source for source, _ in {(entry.source, entry.text) for entry in policy.allows}
    )
    for entry in policy.allows:
        # Events name the line only, which may have several entries.
        by_events = by_rule.get(entry.source, 0) if on_line[entry.source] == 1 else 0
        count = max(counts[entry.source, entry.text], by_events)
        found.setdefault(
            (entry.source, entry.family, entry.text),
            Use(
                entry,
                count,
                _why(policy, entry),
                others.get((entry.source, entry.text), Counter()),
            ),
        )
    return list(found.values())


def against(compiled: native.Compiled, evidence: Touched, facts: native.Facts) -> Iterator[Outcome]:
    """What went through but would be blocked by `compiled`."""
    return (outcome for outcome in replay(compiled, evidence, facts) if outcome.would_break)


def _why(policy: Policy, entry: Allow) -> str:
    written = entry.home(policy).find(entry.location).plain()
    if not isinstance(written, dict):
        return ""
    owner = f"owner: {written['owner']}" if written.get("owner") else ""
    return ", ".join(str(part) for part in (written.get("reason"), owner) if part)
