"""What each dependency touched: evidence with who did what how often, when, and what became of
it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from fshield.engine import decide as native
from fshield.evidence.acts import MAX_ACTS, ONLY_FOR, Act, Evidence
from fshield.evidence.callers import Asker, Chain
from fshield.evidence.dependencies import asked_as
from fshield.evidence.replay import Outcome, replay
from fshield.evidence.shapes import gathered
from fshield.evidence.stream import Record
from fshield.evidence.verdicts import met_by
from fshield.language.policy import Allow, Family, Mode, Policy

_NAMES = 1000
#: How many functions are kept apart.
MAX_FUNCTIONS = 20_000


@dataclass(slots=True)
class Tally:
    """What one chain of packages did of one act.

    Args:
        done: how often, by what became of it: ``block``, ``alert``, ``allow``.
        first, last: seconds since 1970; 0 where no event says.
        where: ``FILE:LINE`` that asked.
        for_others: "allowed for stripe; asked by tintbox", where an entry is for others; else "".
    """

    done: Counter[str] = field(default_factory=Counter)
    first: float = 0
    last: float = 0
    where: str = ""
    for_others: str = ""

    def take(
        self, mode: str, count: int, first: float, last: float, where: str, for_others: str
    ) -> None:
        """One more sighting."""
        self.done[mode] += count
        self._widen(first, last, where, for_others)

    def add(self, other: Tally) -> None:
        """Take `other`'s over."""
        done = self.done
        for mode, count in other.done.items():
            done[mode] = done.get(mode, 0) + count
        self._widen(other.first, other.last, other.where, other.for_others)

    def _widen(self, first: float, last: float, where: str, for_others: str) -> None:
        if first and (not self.first or first < self.first):
            self.first = first
        self.last = max(self.last, last)
        # The first by its text: a table does not keep the order of the log.
        if where and (not self.where or where < self.where):
            self.where = where
        if for_others and (not self.for_others or for_others < self.for_others):
            self.for_others = for_others


class Place(NamedTuple):
    """A function, and where it is; "" where no event says.

    Args:
        function, account, region: as events name them.
    """

    function: str
    account: str = ""
    region: str = ""


@dataclass(slots=True)
class InFunction:
    """What was done in one function.

    Args:
        rules: by rule, how often by what became of it. Whole, whatever is left out of `by`.
        by: acts by who asked.
        left_out: sightings that `by` has no room for.
    """

    rules: dict[str, Counter[str]] = field(default_factory=dict)
    by: dict[tuple[Chain, Act], Tally] = field(default_factory=dict)
    left_out: int = 0

    def add(self, other: InFunction) -> None:
        """Take `other`'s over."""
        for rule, done in other.rules.items():
            self.rules.setdefault(rule, Counter()).update(done)
        for key, tally in other.by.items():
            self.by.setdefault(key, Tally()).add(tally)
        self.left_out += other.left_out


@dataclass
class Touched(Evidence):
    """Evidence that keeps apart who did what.

    Args:
        by: acts by who asked, `MAX_ACTS` of them.
        unattributed: sightings beyond those.
        fleet: the same by function, `MAX_ACTS` acts of `MAX_FUNCTIONS` functions.
        elsewhere: sightings in functions beyond those.
        allowed: events that say which entry allowed something.
        rules: allow entries, as ``allowed`` events name them, with the policy's name.
        policies: names of the policies that events were decided by.
    """

    by: dict[tuple[Chain, Act], Tally] = field(default_factory=dict)
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    policies: set[str] = field(default_factory=set)
    allowed: int = 0
    unattributed: int = 0
    fleet: dict[Place, InFunction] = field(default_factory=dict)
    elsewhere: int = 0
    _kept: int = 0

    def noticed(self, act: Act, chain: Chain, record: Record) -> None:
        """Fold one act."""
        event = record.event
        count, policy = event["count"], event.get("policy_name") or ""
        if policy and len(self.policies) < _NAMES:
            self.policies.add(policy)
        if event["event"] == "allowed":
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
            tally = self._in_function(place, chain, act, mode, count)
            if tally:
                tally.take(*seen)
        tally = self.by.get((chain, act))
        if tally is None:
            if len(self.by) >= MAX_ACTS:
                self.unattributed += count
                return
            tally = self.by[chain, act] = Tally()
        tally.take(*seen)

    def _in_function(
        self, place: Place, chain: Chain, act: Act, mode: str, count: int
    ) -> Tally | None:
        """The function's tally of the act; None where there is no room for it."""
        inside = self.fleet.get(place)
        if inside is None:
            if len(self.fleet) >= MAX_FUNCTIONS:
                self.elsewhere += count
                return None
            inside = self.fleet[place] = InFunction()
        done = inside.rules.get(act.rule)
        if done is None:
            done = inside.rules[act.rule] = Counter()
        done[mode] += count
        tally = inside.by.get((chain, act))
        if tally is None:
            if self._kept >= MAX_ACTS:
                inside.left_out += count
                return None
            self._kept += 1
            tally = inside.by[chain, act] = Tally()
        return tally

    def places(self) -> dict[Place, InFunction]:
        """The functions in order. What was said of a function without its place counts for the one
        place that has a function of this name, if there is one."""
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
        asker: who wanted it.
    """

    act: Act
    tally: Tally
    asker: Asker


@dataclass(frozen=True)
class Dependency:
    """A package that the function uses, or the function's own code, and all that it touched.

    Args:
        name: the package; "" where nobody is known.
        label: with its version, where that is known.
        own: it is the function's own code.
        touches: the blocked first, then the most frequent.
    """

    name: str
    label: str
    own: bool
    touches: tuple[Touch, ...]

    @cached_property
    def done(self) -> Counter[str]:
        """How often by what became of it."""
        total: Counter[str] = Counter()
        for touch in self.touches:
            for mode, count in touch.tally.done.items():
                total[mode] += count
        return total

    @cached_property
    def folded(self) -> list[Touch]:
        """What it touched, as `gather` puts it together."""
        return gather(self.touches)

    def of(self, *rules: str) -> int:
        """How many different things under these rules."""
        return len(
            {
                touch.act.place or touch.act.words
                for touch in self.touches
                if touch.act.rule in rules
            }
        )


def gather(touches: Iterable[Touch]) -> list[Touch]:
    """Acts with made-up names under /tmp as one pattern, as `learn` has them, the blocked first."""
    touches = list(touches)
    patterns = gathered(touch.act.target for touch in touches if touch.act.rule == "read_write_tmp")
    found: dict[tuple[Act, Asker], Touch] = {}
    several: set[tuple[Act, Asker]] = set()
    for touch in touches:
        act = touch.act
        if act.rule == "read_write_tmp":
            pattern = patterns.get(act.target, act.target)
            act = act if pattern == act.target else replace(act, target=pattern)
        key = act, touch.asker
        known = found.get(key)
        if known is None:
            found[key] = Touch(act, touch.tally, touch.asker)
            continue
        if key not in several:
            several.add(key)
            first, known = known, Touch(act, Tally(), touch.asker)
            found[key] = known
            known.tally.add(first.tally)
        known.tally.add(touch.tally)
    return sorted(found.values(), key=_order)


def _order(touch: Touch) -> tuple[int, int, tuple[str | int, ...]]:
    done, act = touch.tally.done, touch.act
    # As the dataclass compares itself, which takes many times as long.
    fields = (act.rule, act.target, act.port, act.operation, act.module, act.refused)
    return -done["block"], -done.total(), fields


def owner(asker: Asker) -> tuple[str, bool]:
    """The dependency that a request belongs to, and whether it is the function's own code."""
    carried = asker.through[-1] if asker.through and asker.kind != "dependency" else ""
    return carried or asker.name, asker.kind == "own" and not carried


def label_of(evidence: Touched, name: str) -> str:
    """What a dependency is called on the page."""
    return evidence.version(name) if name else "unknown caller"


def dependencies(evidence: Touched) -> list[Dependency]:
    """By dependency, those that were blocked first. A request belongs to the package that the
    function's code called, or to the dependency that made it by itself, and not to the client
    library."""
    found: dict[tuple[str, bool], dict[tuple[Act, Asker], Tally]] = {}
    askers = {chain: evidence.askers.of(chain) for chain, _ in evidence.by}
    for (chain, act), tally in evidence.by.items():
        asker = askers[chain]
        acts = found.setdefault(owner(asker), {})
        known = acts.get((act, asker))
        if known is None:
            known = acts[act, asker] = Tally()
        known.add(tally)
    made = []
    for (name, own), acts in found.items():
        touches = [Touch(act, tally, asker) for (act, asker), tally in acts.items()]
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
    """One allow entry of a policy, and how often it was needed.

    Args:
        entry: as the policy has it.
        count: 0 where nobody used it.
        why: its ``reason:`` and ``owner:``, "" where there are none.
        others: callers that asked for what it allows, and that it does not count for.
    """

    entry: Allow
    count: int
    why: str = ""
    others: Counter[str] = field(default_factory=Counter)


def uses(
    policy: Policy, compiled: native.Compiled, evidence: Touched, facts: native.Facts
) -> list[Use]:
    """Every allow entry of `policy`, with how often what was seen needed it: as the engine decides
    under the policy as it stands now, or as events of a policy of that name say."""
    counts: Counter[tuple[str, str]] = Counter()
    others: dict[tuple[str, str], Counter[str]] = {}
    for (chain, act), tally in evidence.by.items():
        seen = evidence.acts.get(act)
        if seen is None or (not chain and any(seen.chains)):
            # A thread that looks a name up for others says nothing where another stack does.
            continue
        askers = asked_as(evidence, [chain])
        verdicts = [
            met_by(compiled, act, target, facts, askers)
            for target in sorted(seen.examples) or [act.target]
        ]
        used = next((one for one in verdicts if one.mode is Mode.ALLOW), verdicts[0])
        if used.reason == "rule" and used.source:
            counts[used.source, used.entry] += tally.done.total()
        elif used.reason == ONLY_FOR:
            asked = others.setdefault((used.entry_source, used.entry), Counter())
            asked[used.asker] += tally.done.total()
    said = {rule: count for (name, rule), count in evidence.rules.items() if name == policy.name}
    found: dict[tuple[str, Family, str], Use] = {}
    on_line = Counter(
        source for source, _ in {(entry.source, entry.text) for entry in policy.allows}
    )
    for entry in policy.allows:
        # Events name the line: where it holds several entries, they do not say which.
        by_events = said.get(entry.source, 0) if on_line[entry.source] == 1 else 0
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
    """What went through, and `compiled` would block."""
    return (outcome for outcome in replay(compiled, evidence, facts) if outcome.would_break)


def _why(policy: Policy, entry: Allow) -> str:
    written = entry.home(policy).find(entry.location).plain()
    if not isinstance(written, dict):
        return ""
    owner = f"owner: {written['owner']}" if written.get("owner") else ""
    return ", ".join(str(part) for part in (written.get("reason"), owner) if part)
