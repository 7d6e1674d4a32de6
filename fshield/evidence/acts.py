"""Folds events into acts as they are read, in bounded memory: what was done, by what, how often and
when.

Events that a policy cannot tell apart are one act: the same name with another address, the same
program with other arguments, the same path with another random part. Events that no longer fit are
counted.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from fshield import programs
from fshield.evidence.callers import Chain, Packages
from fshield.evidence.forgetful import Forgetful
from fshield.evidence.own_region import region_of_arn
from fshield.evidence.shapes import NEVER, Moment, joint, loose, shape
from fshield.evidence.stream import Record
from fshield.language.destinations import address_of, host_key
from fshield.language.model import RULES
from fshield.language.patterns import FORK

#: Keep at most this many acts. Sightings of further ones are only counted.
MAX_ACTS = 50_000
_CHAINS = 16
_NAMES = 32
_MOVES = ("rename", "link")
#: A folder of loky, whose workers import what they run.
_WORKERS = "/loky/"
_POOL = "/concurrent/futures/thread.py:"
INTEGRITY = "guard_integrity"
#: The engine's reason for an act that an entry allows to other callers only.
ONLY_FOR = "only_for"
UNGUARDABLE = "unguardable"
#: The engine's reasons for acts that no exception can allow.
REFUSED = {
    "socket_family": "sockets of this kind are refused whatever a policy says",
    UNGUARDABLE: "the guard cannot be loaded into it",
    "malformed": "it is neither a name nor a path that can be judged",
    INTEGRITY: "the guard protects itself; this is not a rule, and nothing allows it",
}

#: Of a program that was not executed, because the fork before it was blocked.
UNNAMED = (
    "the fork was blocked before the program was named: under `create_child_process: alert` the"
    " event names it"
)

#: Under ``native_code``, the acts that the core judges by the calling library, not by the module.
_BY_LIBRARY = ("make memory executable in", "make executable", "make")


@dataclass(frozen=True, slots=True, order=True)
class Act:
    """Something that was done, as far as a policy can tell it apart.

    Args:
        rule: the rule it met, or ``guard_integrity``.
        target: a host in its plain form, an address, a path or the pattern of one, a module; "" if
            there is none. port: of a host or address; 0 if it is unknown.
        operation: the engine's word, for paths.
        module: under ``native_code``, the package that an exception would name; else "".
        refused: the reason, if no exception can allow the act; else "".
    """

    rule: str
    target: str
    port: int = 0
    operation: str = ""
    module: str = ""
    refused: str = ""

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The target, if it is an address."""
        return address_of(self.target)

    @property
    def place(self) -> str:
        """The act's name for people and for ``--accept``: ``HOST:PORT``, or else the target."""
        if self.rule not in ("outbound_connectivity", "runtime_api"):
            return (
                self.module
                if self.rule == "native_code" and self.module
                else self.target or self.operation
            )
        host = f"[{self.target}]" if ":" in self.target else self.target
        return f"{host}:{self.port}" if self.port else host

    @property
    def words(self) -> str:
        """What was done, as part of a sentence: ``reach api.stripe.com:443``."""
        if self.rule in ("outbound_connectivity", "runtime_api"):
            return (
                f"reach {self.place or 'a socket'}"
                if self.port
                else f"look up {self.place or 'a name'}"
            )
        if self.target == self.operation:
            return self.target
        if self.operation == "execute":
            return f"start {self.target or 'a program'}"
        return f"{self.operation or 'touch'} {self.target}".strip()


def is_import(file: str) -> bool:
    """Whether code in `file` reads the handler's source to import it, and fails without."""
    return _WORKERS in file


def no_exception(act: Act) -> str | None:
    """Why no exception can allow `act`. None if one can.

    An event about a program has one reason, "no rule allows it", even if the guard could not be
    loaded into it either. So well-known programs of that kind are listed here.
    """
    if act.refused:
        return REFUSED[act.refused]
    if act.rule != "create_child_process":
        return None
    if not act.target:
        return UNNAMED
    found = programs.known(act.target)
    if found is None or not found.sure:
        return None
    return f"{REFUSED[UNGUARDABLE]} ({found.why}); instead: {found.instead}"


@dataclass(slots=True)
class Seen:
    """How often an act was seen, when, and by which package.

    Args:
        count: how often it was done.
        first, last: seconds since 1970; 0 if no event says.
        done: counts by what the engine did: ``block``, ``alert``, ``allow``.
        chains: the callers (see `Packages`), with counts.
        functions: the Lambda functions it was seen in.
        examples: up to two of the targets that were folded into one.
        pattern: for a path, the narrowest pattern that matches all of them. A part that may be
            random stays literal as long as it is the same in all.
        where: ``FILE:LINE`` of one caller.
        libraries: packages whose C library did it, without Python code on the stack.
        others: callers that an entry with ``only_for`` did not cover, as the engine names them.
        moved: the act was a rename or link, whose event shows only one of the two paths.
        imported: a worker process of loky did it, to import what it runs.
        pooled: a thread of a pool did it, which any code may have started.
        native: packages, known or not, in whose C library a thread of its own did it.
    """

    count: int = 0
    first: float = 0
    last: float = 0
    done: Counter[str] = field(default_factory=Counter)
    chains: Counter[Chain] = field(default_factory=Counter)
    functions: set[str] = field(default_factory=set)
    examples: set[str] = field(default_factory=set)
    where: str = ""
    pattern: str = ""
    others: set[str] = field(default_factory=set)
    libraries: set[str] = field(default_factory=set)
    moved: bool = False
    imported: bool = False
    pooled: bool = False
    native: set[str] = field(default_factory=set)

    def add(self, other: Seen) -> None:
        """Add the sightings of `other`."""
        self.count += other.count
        self.first = min(filter(None, (self.first, other.first)), default=0)
        self.last = max(self.last, other.last)
        self.done += other.done
        for chain, count in other.chains.items():
            if chain in self.chains or len(self.chains) < _CHAINS:
                self.chains[chain] += count
        self.functions |= set(sorted(other.functions)[: max(0, _NAMES - len(self.functions))])
        self.examples |= set(sorted(other.examples)[: max(0, 2 - len(self.examples))])
        self.where = min(filter(None, (self.where, other.where)), default="")
        self.libraries |= set(sorted(other.libraries)[: max(0, _NAMES - len(self.libraries))])
        self.others |= set(sorted(other.others)[: max(0, _NAMES - len(self.others))])
        self.moved |= other.moved
        self.imported |= other.imported
        self.pooled |= other.pooled
        self.native |= set(sorted(other.native)[: max(0, _NAMES - len(self.native))])

    def take(
        self,
        record: Record,
        mode: str,
        chain: Chain,
        exact: str,
        where: str,
        library: str,
        other: str,
    ) -> None:
        """Add a sighting. Arguments that do not apply are ""."""
        count, when = record.event["count"], record.time or 0
        self.count += count
        if when and (not self.first or when < self.first):
            self.first = when
        self.last = max(self.last, record.last or when)
        self.done[mode] += count
        if chain in self.chains or len(self.chains) < _CHAINS:
            self.chains[chain] += count
        _add(self.functions, record.function)
        if len(self.examples) < 2:
            self.examples.add(exact)
        if where and (not self.where or where < self.where):
            self.where = where
        _add(self.libraries, library)
        _add(self.others, other)
        self.imported |= is_import(where)
        self.pooled |= _POOL in where
        details = record.event["details"]
        self.moved |= details.get("operation") in _MOVES and not details.get("to")

    @property
    def passed(self) -> int:
        """How often it was not blocked."""
        return self.count - self.done["block"]

    @property
    def when(self) -> str:
        """The days, or the day and the hours, in UTC."""
        return span(self.first, self.last)


def kinds(count: int) -> str:
    """The number of kinds of acts, in words."""
    return "1 kind of act" if count == 1 else f"{count:,} kinds of acts"


def span(first: float, last: float) -> str:
    """From when to when, in UTC: days where they differ, else minutes."""
    if not last:
        return "at no known time"
    begin, end = (datetime.fromtimestamp(at, timezone.utc) for at in (first or last, last))
    if begin.date() != end.date():
        return f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}"
    minutes = (
        f"{begin:%H:%M}" if f"{begin:%H:%M}" == f"{end:%H:%M}" else f"{begin:%H:%M} to {end:%H:%M}"
    )
    return f"{begin:%Y-%m-%d} {minutes}"


@dataclass
class Evidence:
    """All evidence that was read.

    Args:
        acts: each act, and how it was seen.
        packages: what is known about packages.
        versions: for each package: the distributions that contain it, with versions.
        doubtful: events that may be forged or read twice; they count for nothing.
        overflow: the number of sightings of acts beyond `MAX_ACTS`.
        interpreters: runtimes as ``armed`` names them.
        arns: of the functions, if events have them.
        forgetful: what invocations did in ``/tmp``.
        pairs: of acts on two paths, by the second and the first: how often, by what the engine did.
            Both are in `acts`, with all of their sightings.
    """

    acts: dict[Act, Seen] = field(default_factory=dict)
    packages: Packages = field(default_factory=Packages)
    versions: dict[str, set[str]] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)
    doubtful: int = 0
    overflow: int = 0
    events: int = 0
    interpreters: set[str] = field(default_factory=set)
    arns: set[str] = field(default_factory=set)
    first: float = 0
    last: float = 0
    forgetful: Forgetful = field(default_factory=Forgetful)
    pairs: dict[Act, dict[Act, Counter[str]]] = field(default_factory=dict)
    _paired: int = 0

    def read(self, records: Iterable[Record]) -> Evidence:
        """Fold `records`; returns itself."""
        for record in records:
            self.take(record)
        return self

    def take(self, record: Record) -> None:
        """Fold one record."""
        event = record.event
        if event["event"] == "armed":
            self.interpreters = _bounded(self.interpreters, event.get("runtime") or "")
        if event["event"] not in ("violation", "allowed"):
            return
        if record.doubt:
            self.doubtful += record.events
            return
        chain = self.packages.chain(event)
        moment = Moment(record.time or 0.0, str(event.get("requestId") or ""))
        act, exact = act_of(event, chain, moment)
        if act is None:
            return
        self.events += record.events
        self.noticed(act, chain, record)
        self.forgetful.take(event, record.events)
        if record.time:
            self.first = min(self.first or record.time, record.time)
            self.last = max(self.last, record.last or record.time)
        self.functions = _bounded(self.functions, record.function)
        self.arns = _bounded(self.arns, event.get("function_arn") or "")
        origin = event.get("origin") or {}
        if (
            chain
            and origin.get("version")
            and (chain[0] in self.versions or len(self.versions) < 1000)
        ):
            name = f"{origin['distribution'] or chain[0]} {origin['version']}"
            self.versions[chain[0]] = _bounded(self.versions.get(chain[0], set()), name)
        self._see(act, exact, chain, moment, record)
        second, exact = second_of(event, moment)
        if second is None:
            return
        if second == act:
            self._narrow(act, exact, moment)
            return
        self.noticed(second, chain, record, second=True)
        self._see(second, exact, chain, moment, record)
        firsts = self.pairs.setdefault(second, {})
        if act not in firsts:
            if self._paired >= MAX_ACTS:
                return
            self._paired += 1
            firsts[act] = Counter()
        firsts[act][event.get("mode") or "?"] += event["count"]

    def _see(self, act: Act, exact: str, chain: Chain, moment: Moment, record: Record) -> None:
        event = record.event
        seen = self.acts.get(act)
        if seen is None:
            if len(self.acts) >= MAX_ACTS:
                self.overflow += event["count"]
                return
            seen = self.acts[act] = Seen()
        origin = event.get("origin") or {}
        if act.rule == "read_write_tmp":
            self._narrow(act, exact, moment)
            if not chain:
                _add(seen.native, self.packages.native(str(origin.get("file") or "")))
        where = (
            f"{origin['file']}:{origin['line']}"
            if origin.get("file") and origin.get("line")
            else ""
        )
        others = event.get("reason") == ONLY_FOR
        seen.take(
            record,
            event.get("mode") or "?",
            chain,
            exact,
            where,
            self.packages.library(event),
            (event.get("asker") or "unknown") if others else "",
        )

    def _narrow(self, act: Act, exact: str, moment: Moment) -> None:
        """Have the pattern of a path match `exact` as well."""
        seen = self.acts.get(act)
        if seen is not None:
            narrow = shape(exact, moment)
            seen.pattern = joint(seen.pattern or narrow, narrow, act.target)

    def noticed(self, act: Act, chain: Chain, record: Record, *, second: bool = False) -> None:
        """Called for each act as it is folded. For subclasses that keep more of it. `second`: the
        act is that on the second path of an event whose first one was noticed."""

    def times(self, acts: Iterable[Act], seen: Seen) -> int:
        """How often any of `acts` was done, where `seen` are the sightings of them all: one on two
        of their paths counts once."""
        among = set(acts)
        twice = (
            done.total()
            for second in among
            for first, done in self.pairs.get(second, {}).items()
            if first in among
        )
        return seen.count - sum(twice)

    @property
    def region(self) -> str | None:
        """The one region that the functions' ARNs name; None if there is none, or several."""
        found = {region_of_arn(arn) for arn in self.arns}
        return found.pop() if len(found) == 1 else None

    def version(self, package: str) -> str:
        """The distribution that contains `package`, with its versions; if that is unknown,
        `package`.
        """
        return ", ".join(sorted(self.versions.get(package, ()))) or package

    def __iter__(self) -> Iterator[tuple[Act, Seen]]:
        """The acts, in an order that does not depend on the log."""
        return iter(sorted(self.acts.items(), key=lambda item: item[0]))


def act_of(
    event: Mapping[str, Any], chain: Chain = (), moment: Moment = NEVER
) -> tuple[Act | None, str]:
    """The act of an event, and its exact target. The act is None if this fshield does not know the
    event's rule.

    Args:
        event: normalised.
        chain: the packages on its stack.
        moment: when it happened, and in which request, because names can contain either.
    """
    rule = event.get("policy") or ""
    if rule not in RULES and rule != INTEGRITY:
        return None, ""
    details = event["details"]
    reason = event.get("reason") or ""
    refused = reason if reason in REFUSED else INTEGRITY if rule == INTEGRITY else ""
    operation = str(details.get("operation") or "")
    if rule in ("outbound_connectivity", "runtime_api"):
        host, port = str(details.get("host") or ""), details.get("port")
        target = _plain_host(host) if host else _plain_ip(str(details.get("ip") or ""))
        if refused == "socket_family":
            target = target or str(details.get("protocol") or "")
        return (
            Act(rule, target, port if isinstance(port, int) else 0, refused=refused),
            host or target,
        )
    path = str(details.get("path") or "")
    if rule == "read_write_tmp":
        # For paths, a policy does not distinguish operations.
        return Act(rule, loose(shape(path, moment)), refused=refused), path
    if rule == "create_child_process":
        if path:
            return Act(rule, path, 0, "execute", refused=refused), path
        # A fork that shares memory or fds can be no entry's.
        target = FORK if operation == FORK and not refused else ""
        return Act(rule, target, 0, operation, refused=refused), target
    if rule == "native_code":
        module = chain[0] if chain and operation not in _BY_LIBRARY else ""
        return Act(rule, path, 0, operation, module, refused), path
    return Act(rule, path, 0, operation, refused=refused), path


def second_of(event: Mapping[str, Any], moment: Moment = NEVER) -> tuple[Act | None, str]:
    """The act on the second path of an event, and this path; None where it shows one only."""
    path = event["details"].get("to")
    if not path or event.get("policy") != "read_write_tmp":
        return None, ""
    return act_of({**event, "details": {"path": path}}, moment=moment)


#: A name that `host_key` would leave as it is, or refuse.
_PLAIN_HOST = re.compile(r"(?!.*xn--)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\Z")


# A log says the same few names again and again.
@lru_cache(maxsize=4096)
def _plain_host(text: str) -> str:
    if _PLAIN_HOST.match(text):
        return text
    try:
        key, wildcard = host_key(text)
    except ValueError:
        return text
    return text if wildcard else key


@lru_cache(maxsize=4096)
def _plain_ip(text: str) -> str:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _add(names: set[str], name: str) -> None:
    if name and len(names) < _NAMES:
        names.add(name)


def _bounded(names: set[str], name: str) -> set[str]:
    return names if not name or name in names or len(names) >= _NAMES else names | {name}
