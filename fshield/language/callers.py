"""The callers that an allow entry is for: `only_for`, and `as` of a test."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from fshield.errors import shown
from fshield.language.part import text as as_text
from fshield.language.wrong import wrong

ONLY_FOR_WORDS = ("function", "unknown")
ONLY_FOR_LIMIT = 32
_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z")


def _only_for(value: object) -> object:
    form = "names of distributions, `function` for the function's own code"
    if not isinstance(value, list):
        fix = f"only_for: [{value}]" if isinstance(value, str) else ""
        raise wrong("`only_for` is a list", form, fix)
    if not value:
        raise wrong(
            "`only_for` names no distribution: the entry would count for no caller",
            form,
            "take `only_for` out, or the entry",
        )
    if len(value) > ONLY_FOR_LIMIT:
        raise wrong(f"`only_for` has {len(value)} names", f"at most {ONLY_FOR_LIMIT}")
    return value


def distribution(value: object) -> str:
    """A distribution's name as PEP 503 normalises it. Raises PydanticCustomError."""
    name = as_text(value)
    if not _DISTRIBUTION.match(name):
        raise wrong(
            f"{shown(name)} is not the name of a distribution",
            "a name as `pip list` shows it, without version or extras",
            re.split(r"[\[=<>~! ;]", name)[0] if name[:1].isalnum() else "",
        )
    return plain(name)


def plain(name: str) -> str:
    """A name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


OnlyFor = Annotated[
    list[Annotated[str, BeforeValidator(distribution)]],
    BeforeValidator(_only_for),
    WithJsonSchema(
        {
            "type": "array",
            "minItems": 1,
            "maxItems": ONLY_FOR_LIMIT,
            "items": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"},
        }
    ),
]

# A client that boto3 made runs in botocore, without boto3 on the stack.
_RUNS_IN = {"boto3": "botocore"}


def counted(names: Iterable[str]) -> tuple[str, ...]:
    """The distributions that an entry with this `only_for` is for, without duplicates."""
    found: dict[str, None] = {}
    for name in names:
        found[name] = None
        if name in _RUNS_IN:
            found[_RUNS_IN[name]] = None
    return tuple(found)


Caller = Annotated[str, BeforeValidator(distribution)]
