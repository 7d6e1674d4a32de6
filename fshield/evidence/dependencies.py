"""Which distributions asked, as entries with ``only_for`` name them: by the stacks of acts, and by
the engine's own word where an entry was for others."""

from __future__ import annotations

from collections.abc import Iterable

from fshield.evidence.acts import Evidence, Seen
from fshield.evidence.callers import Chain
from fshield.evidence.known import CARRIERS, DISTRIBUTIONS, RUNTIMES
from fshield.language.callers import ONLY_FOR_LIMIT, distribution

FUNCTION, UNKNOWN = "function", "unknown"


def only_for(evidence: Evidence, seen: Seen) -> tuple[str, ...]:
    """The names for `only_for`: what the function called. None where they cannot be told, and the
    entry is for all."""
    chains = [chain for chain in seen.chains if any(name not in RUNTIMES for name in chain)]
    return _called(evidence, chains) if chains else ()


def asked_as(evidence: Evidence, chains: Iterable[Chain]) -> tuple[str, ...]:
    """The names by which the engine is asked about what `chains` did: an entry with ``only_for``
    must count for each of them. What these packages call counts as what they require."""
    return _called(evidence, chains) or (UNKNOWN,)


def with_others(evidence: Evidence, seen: Seen, named: Iterable[str]) -> tuple[str, ...]:
    """The names for an entry that lets pass what an entry for others does not count for.

    Args:
        evidence: all of it.
        seen: of the act.
        named: the callers of the entry for others. Those on the stack are named again, because a
            stack passes by one entry.
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
    """A package's distribution as the engine names it; "" where that is not a name. npm's scoped
    names stay as they are."""
    if package.startswith("@"):
        return package
    try:
        return distribution(_distribution(evidence, package))
    except ValueError:
        return ""


def _called(evidence: Evidence, chains: Iterable[Chain]) -> tuple[str, ...]:
    # Threads look names up for others: such a stack says nothing where another does.
    known = [chain for chain in chains if chain] or [()]
    found: set[str] = set()
    for chain in known:
        found |= _of(evidence, chain)
    return _normal(found)


def _normal(names: Iterable[str]) -> tuple[str, ...]:
    """Sorted, each once; none where one of them is not a name, or there are too many."""
    try:
        normal = sorted({distribution(name) for name in names})
    except ValueError:
        return ()
    return tuple(normal) if len(normal) <= ONLY_FOR_LIMIT else ()


def _of(evidence: Evidence, chain: Chain) -> set[str]:
    packages = [name for name in chain if name not in RUNTIMES]
    own = [at for at, name in enumerate(packages) if name in evidence.askers.own]
    if not own:
        # The stack ends before the function's code: in a task or a pool, most likely.
        return {*(_distribution(evidence, name) for name in packages[-1:]), UNKNOWN}
    # What the function called, and frameworks that called the function.
    beyond = {_distribution(evidence, name) for name in packages[own[-1] + 1 :]}
    inside = packages[own[0] - 1] if own[0] > 0 else ""
    return beyond | {_distribution(evidence, inside) if inside else FUNCTION}


def _carries(evidence: Evidence, chain: Chain, name: str, names: Iterable[str]) -> bool:
    """Whether `name` is a package that carries requests, called by one of `names`, which will
    require it."""
    found = [distribution_of(evidence, package) for package in chain]
    if name not in found:
        return False
    at = found.index(name)
    return chain[at] in CARRIERS and any(outer in names for outer in found[at + 1 :])


def _distribution(evidence: Evidence, package: str) -> str:
    """The distribution that brought a package, as events name it; else the one that is known to,
    else the package's own name."""
    if package == "__main__":  # code without a file
        return UNKNOWN
    versions = evidence.versions.get(package, set())
    known = DISTRIBUTIONS.get(package, package)
    return next((version.split(" ")[0] for version in sorted(versions)), known)
