"""What events say was done, by what, how often and when: folded as they are read, in bounded
memory.

Acts that a policy cannot tell apart are one act: the address behind a name, the arguments of a
program, a path whose parts are made up anew each time. What does not fit any more is counted, never
forgotten in silence.
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
from fshield.evidence.callers import Askers, Chain
from fshield.evidence.forgetful import Forgetful
from fshield.evidence.own_region import region_of_arn
from fshield.evidence.shapes import NEVER, Moment, joint, loose, shape
from fshield.evidence.stream import Record
from fshield.language.destinations import address_of, host_key
from fshield.language.model import RULES
from fshield.language.patterns import FORK

#: How many different acts are kept. Of the rest their number is.
MAX_ACTS = 50_000
_CHAINS = 16
_NAMES = 32
_MOVES = ("rename", "link")
INTEGRITY = "guard_integrity"
#: The reason of an act that an entry allows, and to other callers only.
ONLY_FOR = "only_for"
UNGUARDABLE = "unguardable"
#: What no exception covers, whatever a policy says.
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

#: Under ``native_code``, what the core decides by the library that asked, and not by the module.
_BY_LIBRARY = ("make memory executable in", "make executable", "make")


@dataclass(frozen=True, slots=True, order=True)
class Act:
    """One thing that was done, as far as a policy can tell it from others.

    Args:
        rule: the rule it met, or ``guard_integrity``.
        target: a host in its plain form, an address, a path or the pattern of one, a module; ""
            where there is none.
        port: of a host or address; 0 where it was not known.
        operation: the engine's word, for paths.
        module: under ``native_code``, the package that an exception would name; else "".
        refused: the reason, where it is one that no exception covers.
    """

    rule: str
    target: str
    port: int = 0
    operation: str = ""
    module: str = ""
    refused: str = ""

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The target, where it is an address."""
        return address_of(self.target)

    @property
    def place(self) -> str:
        """``HOST:PORT``, or the target as it is: what people call the act by, and what ``--accept``
        takes."""
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
        """What was done, for a sentence: ``reach api.stripe.com:443``."""
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


def no_exception(act: Act) -> str | None:
    """Why no exception covers `act`, whatever a policy says; None where one may.

    An event of a program that no rule allows says so, and not that the guard could not be loaded
    into it either: well-known ones are named here.
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
        first, last: seconds since 1970; 0 where no event says.
        done: how often by what the engine did: ``block``, ``alert``, ``allow``.
        chains: who asked, see `Askers`, with how often.
        functions: the Lambda functions it was seen in.
        examples: up to two of the targets that were folded into one.
        pattern: of a path, the narrowest that all of them match; what may be made up is as it was,
            but for what differed.
        where: ``FILE:LINE`` of one that asked.
        libraries: packages whose library in C did it, with no code of Python on the stack.
        others: callers that an entry with ``only_for`` does not count for, as the engine names
            them; empty where no event has that reason.
        moved: a path was renamed or linked. The event shows one of the two names.
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

    def add(self, other: Seen) -> None:
        """Take `other`'s sightings over."""
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
        """One more sighting; "" for what it does not have."""
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
        self.moved |= record.event["details"].get("operation") in _MOVES

    @property
    def passed(self) -> int:
        """How often it went through."""
        return self.count - self.done["block"]

    @property
    def when(self) -> str:
        """The days, or the day and the hours, in UTC."""
        return span(self.first, self.last)


def kinds(count: int) -> str:
    """So many kinds of acts, in words."""
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
    """All that was read.

    Args:
        acts: what was done, and how it was seen.
        askers: what is known of packages.
        versions: of packages: the distributions that brought them, with versions.
        doubtful: events that may be forged or read twice; they count for nothing.
        overflow: sightings of acts beyond `MAX_ACTS`.
        interpreters: runtimes as ``armed`` names them.
        arns: of the functions, where events say so.
        forgetful: what invocations did in ``/tmp``.
    """

    acts: dict[Act, Seen] = field(default_factory=dict)
    askers: Askers = field(default_factory=Askers)
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
        chain = self.askers.chain(event)
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
        seen = self.acts.get(act)
        if seen is None:
            if len(self.acts) >= MAX_ACTS:
                self.overflow += event["count"]
                return
            seen = self.acts[act] = Seen()
        if act.rule == "read_write_tmp":
            narrow = shape(exact, moment)
            seen.pattern = joint(seen.pattern or narrow, narrow, act.target)
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
            self.askers.library(event),
            (event.get("asker") or "unknown") if others else "",
        )

    def noticed(self, act: Act, chain: Chain, record: Record) -> None:
        """Hears of each act as it is folded: for those who keep more of it."""

    @property
    def region(self) -> str | None:
        """The one region that the functions' ARNs name; None where none does, or several do."""
        found = {region_of_arn(arn) for arn in self.arns}
        return found.pop() if len(found) == 1 else None

    def version(self, package: str) -> str:
        """The distribution that brought `package`, with its version or versions; where none is
        known, `package`."""
        return ", ".join(sorted(self.versions.get(package, ()))) or package

    def __iter__(self) -> Iterator[tuple[Act, Seen]]:
        """The acts in an order that does not depend on the log's."""
        return iter(sorted(self.acts.items(), key=lambda item: item[0]))


def act_of(
    event: Mapping[str, Any], chain: Chain = (), moment: Moment = NEVER
) -> tuple[Act | None, str]:
    """The act that an event is about, and its exact target; None where the event is of no rule that
    we know.

    Args:
        event: normalised.
        chain: the packages on its stack.
        moment: when it happened, and by which request: names can be made of these.
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
        # What a policy can say of a path does not depend on what was done with it.
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


#: What `host_key` leaves as it is, or refuses.
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
