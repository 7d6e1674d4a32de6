"""Finds the distributions that asked, for entries with ``only_for``: from the stacks of acts, and,
if an entry was for others, from the engine's events.
"""

from __future__ import annotations

from collections.abc import Iterable

from fshield.evidence.acts import Evidence, Seen
from fshield.evidence.callers import Chain
from fshield.evidence.known import CARRIERS, DISTRIBUTIONS, RUNTIMES
from fshield.language.callers import ONLY_FOR_LIMIT, distribution

FUNCTION, UNKNOWN = "function", "unknown"


def only_for(evidence: Evidence, seen: Seen) -> tuple[str, ...]:
    """The names for `only_for`: the packages that the function called. Empty if that is unknown;
    the entry is then for all.
    """
    chains = [chain for chain in seen.chains if any(name not in RUNTIMES for name in chain)]
    return _called(evidence, chains) if chains else ()


def asked_as(evidence: Evidence, chains: Iterable[Chain]) -> tuple[str, ...]:
    """The callers to ask the engine about, for what `chains` did: an entry with ``only_for`` must
    cover each of them. It also covers the packages that those require.
    """
    return _called(evidence, chains) or (UNKNOWN,)


def with_others(evidence: Evidence, seen: Seen, named: Iterable[str]) -> tuple[str, ...]:
    """The names for a new entry, where the policy has the same entry for other callers.

    Args:
        evidence: all of it.
        seen: of the act.
        named: the callers of the existing entry. Those on the stack are named again, because one
            entry must cover the whole stack.
    """
    names = set(only_for(evidence, seen))
    on_stack = {distribution_of(evidence, package) for chain in seen.chains for package in chain}
    for other in seen.others:
        if other == FUNCTION:
            names |= set() if names else {FUNCTION}
        elif not any(_carries(evidence, chain, other, names) for chain in seen.chains):
            names.add(other)
    return _normal(names | (set(named) & on_stack))


def distribution_of(evidence: Evidence, package: str) -> str:
    """A package's distribution, as the engine names it; "" if that is not a valid name. npm's
    scoped names stay as they are.
    """
    if package.startswith("@"):
        return package
    try:
        return distribution(_distribution(evidence, package))
    except ValueError:
        return ""


def _called(evidence: Evidence, chains: Iterable[Chain]) -> tuple[str, ...]:
    # Threads look names up for others. Ignore such a stack if another one names the caller.
    known = [chain for chain in chains if chain] or [()]
    found: set[str] = set()
    for chain in known:
        found |= _of(evidence, chain)
    return _normal(found)


def _normal(names: Iterable[str]) -> tuple[str, ...]:
    """Sorted, without duplicates. Empty if one of them is not a name, or there are too many."""
    try:
        normal = sorted({distribution(name) for name in names})
    except ValueError:
        return ()
    return tuple(normal) if len(normal) <= ONLY_FOR_LIMIT else ()


def _of(evidence: Evidence, chain: Chain) -> set[str]:
    packages = [name for name in chain if name not in RUNTIMES]
    own = [at for at, name in enumerate(packages) if name in evidence.askers.own]
    if not own:
        # The stack does not reach the function's code: most likely it is a task's or a pool's.
        return {*(_distribution(evidence, name) for name in packages[-1:]), UNKNOWN}
    # Keep what the function called, and frameworks that called the function.
    beyond = {_distribution(evidence, name) for name in packages[own[-1] + 1 :]}
    inside = packages[own[0] - 1] if own[0] > 0 else ""
    return beyond | {_distribution(evidence, inside) if inside else FUNCTION}


def _carries(evidence: Evidence, chain: Chain, name: str, names: Iterable[str]) -> bool:
    """Whether `name` is a carrier that one of `names` called. That one will require it."""
    found = [distribution_of(evidence, package) for package in chain]
    if name not in found:
        return False
    at = found.index(name)
    return chain[at] in CARRIERS and any(outer in names for outer in found[at + 1 :])


def _distribution(evidence: Evidence, package: str) -> str:
    """The distribution of a package: from events; else from the table of known ones; else the
    package's own name.
    """
    if package == "__main__":  # code without a file
        return UNKNOWN
    versions = evidence.versions.get(package, set())
    known = DISTRIBUTIONS.get(package, package)
    return next((version.split(" ")[0] for version in sorted(versions)), known)
