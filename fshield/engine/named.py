"""What a change of a policy does to destinations by name. The compiled core is asked, name by name
and port by port, because it decides which of several matching entries applies, and so what is read
of the first bytes. All names that match the same keys get the same answer. So it suffices to ask
about each key of either policy, one name below each, and one port of each range between the ends of
the entries' ranges.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from typing import Literal

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.engine.containment import joined
from fshield.language import variables
from fshield.language.aws import Partition
from fshield.language.destinations import Ports
from fshield.language.policy import Allow, Family, Host, Mode, Policy

#: What is read of the first bytes, as kind_of of judging.c has it.
Read = Literal["tls", "http", "nothing"]
#: How the first bytes to a name were read before (None: it was not allowed), and how they are read
#: now.
Step = tuple[Read, Read] | None

#: For each partition, a region that no entry names.
_REGIONS = {
    Partition.AWS: "eu-west-9",
    Partition.AWS_CN: "cn-west-9",
    Partition.AWS_EUSC: "eusc-de-west-9",
}
_REGION = re.compile(r"(?:^|\.)([a-z]{2,4}(?:-[a-z]+)+-[0-9])(?=\.|$)")
#: A label that no policy contains: it matches wildcards only.
_OTHER = "zz0fshield0other"


@dataclass(frozen=True)
class Name:
    """A key of an entry, or all names below it that have no key of their own.

    Args:
        key: as in `Host`.
        below: the names below the key are meant, not the key.
    """

    key: str
    below: bool = False

    def __str__(self) -> str:
        return f"*.{self.key}" if self.below else self.key


@dataclass
class Beyond:
    """What one entry lets through that the policy before did not.

    Args:
        entry: the entry.
        step: how reading changes.
        ports: for each name.
    """

    entry: Allow
    step: Step
    ports: dict[Name, Ports] = field(default_factory=dict)


class Asked:
    """Two policies, and the questions that tell them apart."""

    def __init__(self, before: Policy, after: Policy) -> None:
        self._before, self._after = (
            native.Compiled(compile_policy(each)) for each in (before, after)
        )
        both = [entry for entry in (*before.allows, *after.allows) if entry.hosts]
        hosts = {host for entry in both for host in entry.hosts}
        self._entries = {
            (entry.source, entry.text): entry for entry in reversed(after.allows) if entry.hosts
        }
        keys = sorted({host.key for host in hosts}, key=lambda key: (key.count("."), key))
        self._names = [Name(key, below) for key in keys for below in (False, True)]
        self._facts = list(_facts(hosts))
        # Ask about a name only at ports that its own keys tell apart. With the ports of all
        # entries, a thousand entries would make millions of questions.
        self._ports: dict[native.Facts, dict[str, set[Ports]]] = {
            facts: {} for facts in self._facts
        }
        for entry, facts in product(both, self._facts):
            for key in {host.key for host in entry.hosts}:
                self._ports[facts].setdefault(native.spelt(key, facts), set()).add(entry.ports)

    def beyond(self) -> list[Beyond]:
        """What the new policy allows and the old one does not, for each deciding entry, in the
        file's order.
        """
        found: dict[tuple[str, str, Step], Beyond] = {}
        ports: dict[tuple[str, str, Step], dict[Name, set[tuple[int, int]]]] = {}
        for name, facts in product(self._names, self._facts):
            own = native.spelt(name.key, facts)
            spelt = f"{_OTHER}.{own}" if name.below else own
            if (
                self._after.decide(Family.OUTBOUND, names=(spelt,), facts=facts).mode
                is not Mode.ALLOW
            ):
                continue  # on no port
            told_apart = (
                ports for one in (own, *_above(own)) for ports in self._ports[facts].get(one, ())
            )
            for low, high in _stretches(told_apart):
                for source, text, step in self._wider(spelt, low, facts):
                    found.setdefault(
                        (source, text, step), Beyond(self._entries[source, text], step)
                    )
                    ports.setdefault((source, text, step), {}).setdefault(name, set()).add(
                        (low, high)
                    )
        for key, beyond in found.items():
            beyond.ports = _without_repeats(
                {name: joined(stretches) for name, stretches in ports[key].items()}
            )
        order = {key: number for number, key in enumerate(reversed(self._entries))}
        return [
            found[key]
            for key in sorted(found, key=lambda key: (order[key[:2]], key[2] or ("", "")))
        ]

    def _wider(self, name: str, port: int, facts: native.Facts) -> Iterator[tuple[str, str, Step]]:
        now = self._after.decide(Family.OUTBOUND, names=(name,), port=port, facts=facts)
        if now.mode is not Mode.ALLOW or now.entry is None:
            return
        was = self._before.decide(Family.OUTBOUND, names=(name,), port=port, facts=facts)
        place = now.entry_source or "", now.text or ""
        if was.mode is not Mode.ALLOW or was.entry is None:
            yield *place, None
            return
        before, after = reading(was.entry.tls, port), reading(now.entry.tls, port)
        # If nothing was read, anything could be sent. If something was read, nothing else could be
        # sent.
        if before not in ("nothing", after):
            yield *place, (before, after)


def reading(tls: str | None, port: int) -> Read:
    """What the engine reads of the first bytes to a name, given the `tls` of its entry."""
    if tls == "required" or (tls is None and port == 443):
        return "tls"
    return "http" if tls is None and port == 80 else "nothing"


def _stretches(lists: Iterable[Ports]) -> Iterator[tuple[int, int]]:
    """All ports, cut wherever an entry's range begins or ends, and around the ports with a default
    of their own.
    """
    cuts = {1, 80, 81, 443, 444, 65536}
    for ports in lists:
        for low, high in ports:
            cuts |= {low, high + 1}
    yield from ((first, after - 1) for first, after in pairwise(sorted(cuts)))


def _facts(hosts: set[Host]) -> Iterator[native.Facts]:
    """Facts of imagined functions: one in each region that an entry names, and one in a region that
    none names.
    """
    regions = [
        _REGIONS[partition]
        for partition in sorted({Partition.AWS, *(host.partition for host in hosts)} - {0})
    ]
    conditions = {host.region.removeprefix("!") for host in hosts if host.region}
    regions += sorted(f"{one}west-1" if one.endswith("-") else one for one in conditions)
    if any("{region}" in host.key for host in hosts):
        regions += sorted({region for host in hosts for region in _REGION.findall(host.key)})
    # Give each variable a different value.
    names = sorted({name for host in hosts for name in variables.named(host.key)})
    values = tuple((name, f"example{number}") for number, name in enumerate(names))
    for region in dict.fromkeys(regions):
        yield replace(native.EXAMPLE, region=region, variables=values)


def _without_repeats(found: dict[Name, Ports]) -> dict[Name, Ports]:
    """`found` without names that a wildcard in it covers."""
    return {
        name: ports
        for name, ports in found.items()
        if not any(_within(ports, found.get(Name(key, below=True), ())) for key in _above(name.key))
    }


def _within(narrow: Ports, wide: Ports) -> bool:
    return all(any(first <= low and high <= last for first, last in wide) for low, high in narrow)


def _above(key: str) -> Iterator[str]:
    while "." in key:
        key = key.partition(".")[2]
        yield key
