"""``fshield replay``: how the engine would decide on recorded acts under another policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from fshield.engine import decide as native
from fshield.evidence.acts import Act, Evidence, Seen
from fshield.evidence.dependencies import asked_as, distribution_of
from fshield.evidence.lookups import Lookups
from fshield.evidence.own_region import is_of_aws
from fshield.evidence.verdicts import Met, met_by
from fshield.language.callers import plain
from fshield.language.policy import Mode


@dataclass(frozen=True)
class Outcome:
    """One kind of act under the new policy.

    Args:
        act, seen: what was done, and how it was seen.
        target: the exact target, if the act stands for several.
        met: the new verdict.
        quiet: it would make no event: the policy's `quiet` lists every caller.
    """

    act: Act
    seen: Seen
    target: str
    met: Met
    quiet: bool = False

    @property
    def would_break(self) -> bool:
        """Whether it went through and would be blocked. Quiet reads do not count, because their
        callers work without.
        """
        return self.met.mode is Mode.BLOCK and self.seen.passed > 0 and not self.quiet

    @property
    def would_pass(self) -> bool:
        """Whether it was blocked and would go through."""
        return self.met.mode is not Mode.BLOCK and self.seen.done["block"] > 0


def replay(policy: native.Compiled, evidence: Evidence, facts: native.Facts) -> Iterator[Outcome]:
    """Judge every kind of act in `evidence` by `policy`. Of several targets, and of a connection
    and its lookup, the strictest verdict counts.
    """
    lookups = Lookups(evidence)

    def worst_of(act: Act, seen: Seen) -> tuple[str, Met]:
        found = [
            (target, met_by(policy, step, target, facts, asked_as(evidence, how.chains)))
            for step, how in filter(None, ((act, seen), lookups.first_step(act)))
            for target in sorted(how.examples) or [step.target]
        ]
        return max(found, key=lambda pair: pair[1].mode)

    counted_elsewhere = _on_two_paths(
        evidence, lambda act: worst_of(act, evidence.acts[act])[1].mode
    )
    for act, seen in evidence:
        if lookups.is_part(act):
            continue
        target, worst = worst_of(act, seen)
        seen = _less(lookups.whole(act, seen), counted_elsewhere.get(act))  # noqa: PLW2901
        if not seen.count:
            continue
        quiet = act.rule == "read_handler" and _is_quiet(policy, evidence, seen)
        yield Outcome(act, seen, target, worst, quiet)


def unknown_region(known: object, outcomes: Iterable[Outcome]) -> str:
    """A sentence about a host of AWS that would be blocked, if nothing says the function's region;
    else "". The engine's default then counts as the function's.
    """
    hosts = sorted(
        one.act.target
        for one in outcomes
        if one.would_break and one.act.rule == "outbound_connectivity"
        if is_of_aws(one.act.target)
    )
    if known or not hosts:
        return ""
    return (
        f"{hosts[0]}: nothing says the function's region, so `aws:` entries were judged for"
        f" {native.Facts().region}. --region names another"
    )


def _on_two_paths(evidence: Evidence, mode_of: Callable[[Act], Mode]) -> dict[Act, Counter[str]]:
    """Of acts on two paths, how often each is counted with its other path: the one that fares
    worse, and the first where both fare alike."""
    found: dict[Act, Counter[str]] = {}
    for second, firsts in evidence.pairs.items():
        for first, done in firsts.items():
            if first in evidence.acts and second in evidence.acts:
                worse = mode_of(second) > mode_of(first)
                found.setdefault(first if worse else second, Counter()).update(done)
    return found


def _less(seen: Seen, done: Counter[str] | None) -> Seen:
    """`seen` without these sightings."""
    if not done:
        return seen
    return replace(seen, count=seen.count - done.total(), done=seen.done - done)


def _is_quiet(policy: native.Compiled, evidence: Evidence, seen: Seen) -> bool:
    """Whether every read was by a distribution in `quiet`. As in the engine, the reader is the
    distribution or package of the innermost frame.
    """
    if sum(seen.chains.values()) < seen.count:  # some callers were not kept
        return False
    readers = {chain[0] if chain else "" for chain in seen.chains}
    return all(
        policy.is_quiet(distribution_of(evidence, name)) or policy.is_quiet(plain(name))
        for name in readers
    )
