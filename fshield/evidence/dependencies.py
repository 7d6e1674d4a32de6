"""Which distributions an entry that was learnt is for: what the function called, as the stacks of
its acts show."""

from __future__ import annotations

from fshield.evidence.acts import Evidence, Seen
from fshield.evidence.callers import Chain
from fshield.evidence.known import RUNTIMES
from fshield.language.callers import ONLY_FOR_LIMIT, distribution


def only_for(evidence: Evidence, seen: Seen) -> tuple[str, ...]:
    """The names for `only_for`; none where they cannot be told, and the entry is for all."""
    # Threads look names up for others: such a stack says nothing where another does.
    chains = [chain for chain in seen.chains if chain] or [()]
    found: set[str] = set()
    for chain in chains:
        found |= _of(evidence, chain)
    if found == {"unknown"}:
        return ()
    try:
        names = sorted({distribution(name) for name in found})
    except ValueError:
        return ()
    return tuple(names) if len(names) <= ONLY_FOR_LIMIT else ()


def _of(evidence: Evidence, chain: Chain) -> set[str]:
    packages = [name for name in chain if name not in RUNTIMES]
    own = [at for at, name in enumerate(packages) if name in evidence.askers.own]
    if not own:
        # The stack ends before the function's code: in a task or a pool, most likely.
        return {*(_distribution(evidence, name) for name in packages[-1:]), "unknown"}
    # What the function called, and frameworks that called the function.
    beyond = {_distribution(evidence, name) for name in packages[own[-1] + 1 :]}
    inside = packages[own[0] - 1] if own[0] > 0 else ""
    return beyond | {_distribution(evidence, inside) if inside else "function"}


def _distribution(evidence: Evidence, package: str) -> str:
    """The distribution that brought a package, as events name it; else the package's own name."""
    versions = evidence.versions.get(package, set())
    return next((version.split(" ")[0] for version in sorted(versions)), package)
