"""Finds the distributions that asked, for entries with ``only_for``: from the stacks of acts, and,
if an entry was for others, from the engine's events.

An entry counts only if it covers all code on the stack, and an event does not show all of it. So
what is most likely missing is named as well: the frameworks that call the function, and, for a
stack that does not reach the function's code, what that code imports and what uses the package
that was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from fshield.evidence.acts import Act, Evidence, Seen
from fshield.evidence.callers import Chain, familiar
from fshield.evidence.known import (
    ASYNCHRONOUS,
    CARRIERS,
    DISTRIBUTIONS,
    OPENERS,
    OPTIONAL,
    RUNTIMES,
    SERVERS,
    USERS,
    WRAPPERS,
)
from fshield.evidence.requirements import Requirements
from fshield.language.callers import ONLY_FOR_LIMIT, distribution
from fshield.language.patterns import FORK, TEMPFILE_PATTERNS

FUNCTION, UNKNOWN = "function", "unknown"
_OUTBOUND = "outbound_connectivity"
_AWS = "botocore"


@dataclass
class CallerNames:
    """Finds the names for ``only_for``.

    Args:
        evidence: all of it.
        requires: what the function's package says, if it was read.
    """

    evidence: Evidence
    requires: Requirements = field(default_factory=Requirements)

    def only_for(self, act: Act, seen: Seen) -> tuple[str, ...]:
        """The names for `act`: what the function called, and what else is on such a stack. Empty if
        that is unknown; the entry is then for all.
        """
        if self.is_node or not _shown(seen):
            return ()
        shown = _called(self.evidence, _shown(seen), self._names)
        if not shown:
            return ()
        more: set[str] = set().union(*(self._not_shown(chain) for chain in _shown(seen)))
        # Threads look names up for others: the connection that follows names the caller.
        if act.rule != _OUTBOUND and any(not chain for chain in seen.chains):
            more |= {UNKNOWN, *(self._pool_starters if seen.pooled else ())}
        if act.rule == "read_write_tmp":
            opened = FUNCTION in shown and act.target != TEMPFILE_PATTERNS[-1]
            more |= self._openers if opened else set()
        if act.target == FORK:  # by unknown callers: for a person to accept
            more.discard(UNKNOWN)
        # In a thread of its own, a library is alone: nothing that requires it is on the stack.
        alone = self._all(seen.native) if act.rule == "read_write_tmp" else set()
        return _normal({*shown, *alone, *self._needed(more - {*shown}, shown)})

    @property
    def remark(self) -> str:
        """What limits the names, for the user; "" if nothing does."""
        if self.is_node:
            return "--by-dependency: in Node.js the engine knows no caller; the entries are for all"
        if self.requires.direct:
            return ""
        return (
            "--by-dependency: events do not show all that is on a stack; --code FOLDER, the"
            " function's package, shows what it imports and requires"
        )

    @cached_property
    def is_node(self) -> bool:
        """Whether all of it is Node.js's, where the engine knows no caller."""
        runtimes = self.evidence.interpreters
        return bool(runtimes) and all(name.startswith("node") for name in runtimes)

    def _not_shown(self, chain: Chain) -> set[str]:
        """What is on the stack of `chain`, or most likely is, besides what the function called."""
        packages = [name for name in chain if name not in RUNTIMES]
        own = [at for at, name in enumerate(packages) if name in self.evidence.packages.own]
        found = set(self._frameworks)
        if own:
            between = packages[own[0] : own[-1]]
            found |= self._all(name for name in between if name not in self.evidence.packages.own)
            beyond = packages[own[-1] + 1 :]
            began = chain[-1] not in RUNTIMES and chain not in self.evidence.packages.cut
            found |= {UNKNOWN} if began or self.requires.tasks else set()
            # Who started a thread counts as well. The outermost package is part of it.
            found |= self._roots_of(self._names(packages[-1])) if began and beyond else set()
            # One event stands for all acts of one line of code: other callers have none.
            found |= self._roots_of(self._names(_AWS)) if _AWS in packages[: own[0]] else set()
        else:
            found |= self._users(packages)
        inner = packages[: own[0]] if own else packages
        for at, name in enumerate(inner[:-1]):
            if not self._is_required(name, inner[at + 1 :]):
                found |= self._names(name)
        return found - {""}

    @cached_property
    def _frameworks(self) -> frozenset[str]:
        """What calls the function: between it and the runtime client on any stack, or, if the
        function imports it, most likely.
        """
        found: set[str] = set()
        for seen in self.evidence.acts.values():
            for chain in _shown(seen):
                packages = [name for name in chain if name not in RUNTIMES]
                own = [at for at, name in enumerate(packages) if name in self.evidence.packages.own]
                # A handler may call a framework that calls a view.
                outer = packages[own[0] + 1 :] if own else packages
                found |= {name for name in outer if name in SERVERS}
                if own and chain[-1] in RUNTIMES:
                    found |= {*packages[own[-1] + 1 :]}
        imported = self._all(WRAPPERS & self.requires.imported)
        names = self._all(found) | (imported & {*self.requires.roots})
        return frozenset(names - {"", UNKNOWN})

    @cached_property
    def _openers(self) -> set[str]:
        """What the function imports that opens files in C: of a file that Python has just opened
        there is no second event.
        """
        roots = self._all(OPENERS & self.requires.imported) & {*self.requires.roots}
        return roots | {UNKNOWN} if roots else set()

    @cached_property
    def _pool_starters(self) -> frozenset[str]:
        """What may have started a thread of a pool, in which others work as well."""
        return self._roots_of(self._all(ASYNCHRONOUS & self.requires.owners.keys()))

    def _users(self, packages: list[str]) -> frozenset[str]:
        """What the function most likely called, if the stack does not reach so far."""
        carried = [name for name in packages if name not in SERVERS]
        last = self._names(carried[-1]) if carried else frozenset()
        found = self._roots_of(last)
        return found or frozenset(USERS[name] for name in carried[-1:] if name in USERS)

    def _roots_of(self, names: Iterable[str]) -> frozenset[str]:
        """What the function imports that is one of `names` or requires one. If widely used packages
        do, others that do so too are left out: these would be named without any evidence.
        """
        wanted = frozenset(names)
        found = {
            package: self._names(package) & {*self.requires.roots}
            for package in self.requires.imported
        }
        fitting = {
            package: roots
            for package, roots in found.items()
            if any(not wanted.isdisjoint({root, *self.requires.of(root)}) for root in roots)
        }
        known = [roots for package, roots in fitting.items() if familiar(package)]
        return frozenset().union(*(known or fitting.values()))

    def _is_required(self, name: str, outer: Iterable[str]) -> bool:
        """Whether one of `outer` requires `name`, so that an entry for it covers both."""
        if self.requires.direct:
            inner = self._names(name)
            return any(inner <= {one, *self.requires.of(one)} for one in self._all(outer))
        return name in CARRIERS and OPTIONAL.isdisjoint(outer)

    def _needed(self, names: Iterable[str], shown: Iterable[str]) -> set[str]:
        """`names` without those that others require."""
        every = {*names, *shown}
        covered = {one for name in every for one in self.requires.of(name)}
        return {name for name in names if name not in covered}

    def _names(self, package: str) -> frozenset[str]:
        found = self.requires.names(package) if package != "__main__" else frozenset()
        return found or frozenset({distribution_of(self.evidence, package)})

    def _all(self, packages: Iterable[str]) -> set[str]:
        return {name for package in packages for name in self._names(package)}


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
    names = set(_called(evidence, _shown(seen))) if _shown(seen) else set()
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


def _shown(seen: Seen) -> list[Chain]:
    """The callers that any event showed."""
    return [chain for chain in seen.chains if any(name not in RUNTIMES for name in chain)]


def _called(
    evidence: Evidence,
    chains: Iterable[Chain],
    names: Callable[[str], Iterable[str]] | None = None,
) -> tuple[str, ...]:
    # Threads look names up for others. Ignore such a stack if another one names the caller.
    known = [chain for chain in chains if chain] or [()]
    of = names or (lambda package: (_distribution(evidence, package),))
    found: set[str] = set()
    for chain in known:
        found |= _of(evidence, chain, of)
    return _normal(found)


def _normal(names: Iterable[str]) -> tuple[str, ...]:
    """Sorted, without duplicates. Empty if one of them is not a name, or there are too many."""
    try:
        normal = sorted({distribution(name) for name in names})
    except ValueError:
        return ()
    return tuple(normal) if len(normal) <= ONLY_FOR_LIMIT else ()


def _of(evidence: Evidence, chain: Chain, of: Callable[[str], Iterable[str]]) -> set[str]:
    packages = [name for name in chain if name not in RUNTIMES]
    own = [at for at, name in enumerate(packages) if name in evidence.packages.own]
    if not own:
        # The stack does not reach the function's code: most likely it is a task's or a pool's.
        return {*(one for name in packages[-1:] for one in of(name)), UNKNOWN}
    # Keep what the function called, and frameworks that called the function. A module that may be
    # its own, as the handler's that calls such a framework, is no distribution.
    outside = (name for name in packages[own[-1] + 1 :] if not evidence.packages.unsure(name))
    beyond = {one for name in outside for one in of(name)}
    inside = packages[own[0] - 1] if own[0] > 0 else ""
    return beyond | ({*of(inside)} if inside else {FUNCTION})


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
