"""Matches lookups without a port with their connections: Node.js looks a name up without naming a
port, and connects afterwards.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace

from fshield.evidence.acts import Act, Evidence, Seen
from fshield.evidence.known import CLIENT_PORTS

_OUTBOUND = "outbound_connectivity"
_HTTPS = 443


def is_lookup(act: Act) -> bool:
    """Whether it is a lookup without a port."""
    return (
        act.rule == _OUTBOUND
        and bool(act.target)
        and not (act.port or act.refused)
        and act.address is None
    )


@dataclass
class Lookups:
    """The lookups of `evidence` that belong to a connection of its own.

    Args:
        ports: for each name, the ports that were connected to.
        of: for each name, how its lookups without a port were seen.
    """

    evidence: Evidence
    ports: dict[str, set[int]] = field(default_factory=dict)
    of: dict[str, Seen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for act, seen in self.evidence.acts.items():
            if is_lookup(act):
                self.of[act.target] = seen
            elif act.rule == _OUTBOUND and act.port:
                self.ports.setdefault(act.target, set()).add(act.port)

    @property
    def alone(self) -> set[str]:
        """The names that were looked up but not connected to."""
        return self.of.keys() - self.ports.keys()

    def is_part(self, act: Act) -> bool:
        """Whether it is the first step of a connection that is itself in the evidence."""
        return is_lookup(act) and act.target in self.ports

    def first_step(self, act: Act) -> tuple[Act, Seen] | None:
        """The lookup that a connection began with, if it is in the evidence."""
        if act.rule != _OUTBOUND or not act.port or act.target not in self.of:
            return None
        return replace(act, port=0), self.of[act.target]

    def whole(self, act: Act, seen: Seen) -> Seen:
        """How a connection was seen, including attempts that ended at a blocked lookup. If a name
        has several ports, nothing says which of them a blocked lookup was for: it is counted for
        the lowest.
        """
        step = self.first_step(act)
        blocked = step[1].done["block"] if step else 0
        if step is None or not blocked or act.port != min(self.ports[act.target]):
            return seen
        whole, lookup = deepcopy(seen), deepcopy(step[1])
        lookup.count = blocked
        lookup.done = type(lookup.done)({"block": blocked})
        whole.add(lookup)
        return whole


def assumed_port(seen: Seen) -> tuple[int, str]:
    """The port that a lookup was most likely for, and the client whose default it is. Without a
    known client it is 443, and the client is "".
    """
    for chain, _ in seen.chains.most_common():
        client = next((name for name in chain if name in CLIENT_PORTS), "")
        if client:
            return CLIENT_PORTS[client], client
    return _HTTPS, ""
