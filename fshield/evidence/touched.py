"""What each dependency touched: evidence with who did what how often, when, and what became of
it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from fshield.engine import decide as native
from fshield.evidence.acts import MAX_ACTS, ONLY_FOR, Act, Evidence
from fshield.evidence.callers import Asker, Chain
from fshield.evidence.dependencies import asked_as
from fshield.evidence.replay import Outcome, replay
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

    def add(self, other: Tally) -> None:
        """Take `other`'s over."""
        for mode, count in other.done.items():
            self.done[mode] += count
        if other.first and (not self.first or other.first < self.first):
            self.first = other.first
        self.last = max(self.last, other.last)
        # The first by its text: a table does not keep the order of the log.
        if other.where and (not self.where or other.where < self.where):
            self.where = other.where
        if other.for_others and (not self.for_others or other.for_others < self.for_others):
            self.for_others = other.for_others


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
        seen = Tally(
            Counter({event.get("mode") or "?": count}),
            when,
            record.last or when,
            where or "",
            _for_others(event),
        )
        if record.function:
            self._in_function(_place(record.function, event.get("function_arn")), chain, act, seen)
        tally = self.by.get((chain, act))
        if tally is None:
            if len(self.by) >= MAX_ACTS:
                self.unattributed += count
                return
            tally = self.by[chain, act] = Tally()
        tally.add(seen)

    def _in_function(self, place: Place, chain: Chain, act: Act, seen: Tally) -> None:
        inside = self.fleet.get(place)
        if inside is None:
            if len(self.fleet) >= MAX_FUNCTIONS:
                self.elsewhere += seen.done.total()
                return
            inside = self.fleet[place] = InFunction()
        inside.rules.setdefault(act.rule, Counter()).update(seen.done)
        tally = inside.by.get((chain, act))
        if tally is None:
            if self._kept >= MAX_ACTS:
                inside.left_out += seen.done.total()
                return
            self._kept += 1
            tally = inside.by[chain, act] = Tally()
        tally.add(seen)

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
            found.setdefault(home, InFunction()).add(self.fleet[place])
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

    @property
    def done(self) -> Counter[str]:
        """How often by what became of it."""
        total: Counter[str] = Counter()
        for touch in self.touches:
            total += touch.tally.done
        return total

    def of(self, *rules: str) -> int:
        """How many different things under these rules."""
        return len(
            {
                touch.act.place or touch.act.words
                for touch in self.touches
                if touch.act.rule in rules
            }
        )


def owner(asker: Asker) -> tuple[str, bool]:
    """The dependency that a request belongs to, and whether it is the function's own code."""
    carried = asker.through[-1] if asker.through and asker.kind != "dependency" else ""
    return carried or asker.name, asker.kind == "own" and not carried


def label_of(evidence: Touched, name: str) -> str:
    """What a dependency is called on the page."""
    return evidence.version(name) if name else "nobody known"


def dependencies(evidence: Touched) -> list[Dependency]:
    """By dependency, those that were blocked first. A request belongs to the package that the
    function's code called, or to the dependency that made it by itself, and not to the client
    library."""
    found: dict[tuple[str, bool], dict[tuple[Act, Asker], Tally]] = {}
    for (chain, act), tally in evidence.by.items():
        asker = evidence.askers.of(chain)
        found.setdefault(owner(asker), {}).setdefault((act, asker), Tally()).add(tally)
    made = []
    for (name, own), acts in found.items():
        touches = [Touch(act, tally, asker) for (act, asker), tally in acts.items()]
        touches.sort(
            key=lambda touch: (-touch.tally.done["block"], -touch.tally.done.total(), touch.act)
        )
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
