"""Links out of the page: a package in its index, its advisories. And the query that finds an act's
lines in CloudWatch.

Names come from logs: what is not a name of a package, or of a version, makes no link.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?"
_SCOPED = rf"(?:@[a-z0-9][a-z0-9._-]{{0,60}}/)?{_NAME}"
_VERSION = r"[0-9][A-Za-z0-9.+!_-]{0,60}"
_LINK = re.compile(
    rf"https://pypi\.org/project/{_NAME}/(?:{_VERSION}/)?"
    rf"|https://www\.npmjs\.com/package/{_SCOPED}(?:/v/{_VERSION})?"
    rf"|https://osv\.dev/list\?q={_SCOPED}&ecosystem=(?:PyPI|npm)"
)
_LABEL = re.compile(rf"({_SCOPED}) ({_VERSION})")
#: The part of a target to search in lines: without characters that JSON, a query or a pattern
#: escapes.
_PLAIN = re.compile(r"[A-Za-z0-9._:/@+-]+")
_SHORT = 3


@dataclass(frozen=True)
class Release:
    """A version of a package, and its pages.

    Args:
        name, version: as its metadata says.
        index, advisories: addresses.
    """

    name: str
    version: str
    index: str
    advisories: str


def is_link(address: str) -> bool:
    """Whether the page may link there."""
    return _LINK.fullmatch(address) is not None


def releases(label: str, node: bool = False) -> list[Release]:
    """The releases that a dependency's label names: ``inkstamp 2.3.1``. None for a label without a
    version, because its name is then not a distribution's.
    """
    found = []
    for part in label.split(", "):
        match = _LABEL.fullmatch(part)
        if not match or (not node and match[1].startswith("@")):
            continue
        name, version = match[1], match[2]
        index = (
            f"https://www.npmjs.com/package/{name}/v/{version}"
            if node
            else f"https://pypi.org/project/{name}/{version}/"
        )
        system = "npm" if node else "PyPI"
        found.append(
            Release(name, version, index, f"https://osv.dev/list?q={name}&ecosystem={system}")
        )
    return found


def query(rule: str, target: str) -> str:
    """A Logs Insights query for the lines of an act; of a pattern, for its longest plain part."""
    parts = sorted(_PLAIN.findall(target), key=len, reverse=True)
    terms = ['@message like "function_shield"', f'@message like "{rule}"']
    if parts and len(parts[0]) >= _SHORT:
        terms.append(f'@message like "{parts[0]}"')
    found = " and ".join(terms)
    return f"fields @timestamp, @logStream, @message | filter {found} | sort @timestamp asc"
