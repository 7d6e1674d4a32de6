"""``${env:NAME}`` in host and bucket names: the function's own configuration, read once at start by
the engine."""

from __future__ import annotations

import re

from fshield.errors import shown
from fshield.language.wrong import wrong

_FORM = "${env:NAME}, NAME an environment variable of the function"
_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]{0,99})\}")
# Replaces a variable while the rest of the text is validated. Nobody writes this word, and values
# of variables are not known here.
STAND_IN = "zz0fshield0zz"


def taken_out(text: str) -> tuple[str, list[str]]:
    """`text` with a stand-in for each variable, and the variables' names in their order.

    Raises:
        PydanticCustomError: something looks like a variable but is not.
    """
    if STAND_IN in text.lower():
        raise wrong(
            f"{shown(text)} has {STAND_IN} in it, which means something else here", "another name"
        )
    names = _REFERENCE.findall(text)
    plain = _REFERENCE.sub(STAND_IN, text)
    odd = re.search(r"\$\{?[^}]*\}?", plain)
    if odd:
        word = re.search(r"[A-Za-z_][A-Za-z0-9_]*\}?\Z", odd[0])
        name = word[0].rstrip("}") if word else "NAME"
        raise wrong(f"{shown(odd[0])} is not a variable", _FORM, f"${{env:{name}}}")
    if len(names) > 4:
        raise wrong(f"{shown(text)} has {len(names)} variables in it", "at most 4")
    return plain, names


def named(key: str) -> list[str]:
    """The variables in a key of the compiled policy."""
    return re.findall(r"\{(?:env|bucket|label):([^}]+)\}", key)


def put_back(text: str, names: list[str], kind: str) -> str:
    """`text` with ``{KIND:NAME}`` in place of each stand-in."""
    for name in names:
        text = text.replace(STAND_IN, f"{{{kind}:{name}}}", 1)
    return text
