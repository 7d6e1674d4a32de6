"""The floor: a policy called ``floor`` is asked in addition to each other policy, and the stricter
verdict wins. In a function, the engine does that (``guard_decide`` in guard.c). This module does it
for policies in one folder, because those are packed together.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.errors import Finding
from fshield.language.aws import Partition
from fshield.language.loader import load
from fshield.language.model import RULES
from fshield.language.policy import Allow, Mode, Policy

NAME = "floor"


def beside(path: Path) -> Policy | None:
    """The floor beside the policy `path`; None if there is none, or if `path` is the floor.

    Raises:
        CouldNotRun: it cannot be read.
        PolicyError: it is wrong.
    """
    if path.stem == NAME:
        return None
    for suffix in (".yaml", ".yml"):
        file = path.parent / (NAME + suffix)
        if file.is_file():
            return load(file)
    return None


def narrowed(policy: Policy, floor: Policy) -> Iterator[Finding]:
    """Warnings about entries of `policy` that the floor overrules. Raises CouldNotRun without a
    decide library."""
    compiled = native.Compiled(compile_policy(floor))
    for entry in policy.allows:
        verdict = _sample(compiled, entry)
        if (
            verdict is None
            or verdict.mode is not Mode.BLOCK
            or policy.modes[entry.family].mode is not Mode.BLOCK
        ):
            continue
        home = entry.home(policy)
        yield home.finding(
            "warning",
            home.find(entry.location),
            f"the floor blocks what this allows ({verdict.mode_source or floor.document.base}); the"
            " stricter one wins",
            f"what {floor.document.base} allows under {RULES[entry.family]}",
            "remove it, or ask the floor's owner",
        )


def _sample(floor: native.Compiled, entry: Allow) -> native.Verdict | None:
    """The floor's verdict on an example of what `entry` allows."""
    port = entry.ports[0][0] if entry.ports else 0
    if entry.pattern is not None:
        return floor.decide(entry.family, path=entry.pattern.replace("*", "x").replace("?", "x"))
    if isinstance(entry.network, IPv4Network | IPv6Network):
        return floor.decide(entry.family, ip=entry.network.network_address, port=port)
    for host in entry.hosts:
        if host.partition in (Partition.ANY, Partition.AWS) and not host.region:
            name, facts = native.example(host)
            return floor.decide(entry.family, names=(name,), port=port, facts=facts)
    return None
