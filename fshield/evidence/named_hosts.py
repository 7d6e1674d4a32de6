"""Finds hosts that the function's code and configuration name, and that no event reached: nothing
was learnt for them, so the policy blocks them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from fshield.evidence.acts import Act

# A host as the code writes it: the beginning of a quoted URL. A link in a comment does not count.
_NAME = r"[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
_QUOTED = re.compile(
    rf"[\"'`][a-z][a-z0-9+.-]{{1,20}}://(?:[^/@\s\"'`]*@)?(?P<host>{_NAME})(?=[/:?#\"'`])"
)
# In a variable: a URL, perhaps with a user, or the name alone.
_URL = re.compile(rf"[a-z][a-z0-9+.-]{{1,20}}://(?:[^/@\s]*@)?(?P<host>{_NAME})(?=[/:?#,]|\Z)")
_ALONE = re.compile(rf"(?P<host>{_NAME})(?::[0-9]{{1,5}})?\Z")
_OF_HOSTS = re.compile(r"HOST|ENDPOINT|SERVER|BROKER|DOMAIN|URL|URI|ADDR", re.IGNORECASE)
_SHOWN = 4


def in_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """The hosts that the values name, each with the variable's name."""
    found: dict[str, str] = {}
    for name, value in variables.items():
        alone = _ALONE.match(value) if _OF_HOSTS.search(name) else None
        for match in (*_URL.finditer(value), *filter(None, [alone])):
            found.setdefault(match["host"].lower(), name)
    return found


def in_code(text: str) -> set[str]:
    """The hosts that quoted URLs of `text` begin with."""
    return {match["host"].lower() for match in _QUOTED.finditer(text)}


def unmet(named: Mapping[str, str], acts: Iterable[Act]) -> dict[str, str]:
    """Those of `named` that no act reached.

    Args:
        named: hosts, each with the variable that names it; "" for the code.
        acts: all that happened.
    """
    met = {act.target for act in acts if act.rule == "outbound_connectivity"}
    return {host: named[host] for host in sorted(named) if host not in met}


def sentence(hosts: Mapping[str, str]) -> str:
    """What `unmet` found, in words; "" if that is nothing."""
    if not hosts:
        return ""
    words = [f"{host} ({name or 'in the code'})" for host, name in [*hosts.items()][:_SHOWN]]
    more = f" and {len(hosts) - _SHOWN} more" if len(hosts) > _SHOWN else ""
    return (
        f"{', '.join(words)}{more}: named, and no event reached it, so the policy blocks it. Have"
        " the function reach it under `monitor`, or add it by hand"
    )
