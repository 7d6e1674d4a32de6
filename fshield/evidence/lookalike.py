"""Recognises lookalikes: names of hosts and packages that imitate other names."""

from __future__ import annotations

from encodings import idna
from functools import lru_cache
from typing import NamedTuple

from fshield.evidence.known import IMITATED, PACKAGES, SECOND_LEVELS, SHARED

# Letters that look like others in most fonts; from https://www.unicode.org/reports/tr39/, only
# those that occur in names.
_CONFUSED = str.maketrans(
    {
        "0": "o",
        "1": "l",
        "3": "e",
        "5": "s",
        "i": "l",
        "|": "l",
        "а": "a",
        "е": "e",
        "о": "o",
        "р": "p",
        "с": "c",
        "х": "x",
        "у": "y",
        "ѕ": "s",
        "і": "l",
        "ј": "j",
        "ԁ": "d",
        "һ": "h",
        "ӏ": "l",
        "ԛ": "q",
        "ԝ": "w",
        "α": "a",
        "ο": "o",
        "ν": "v",
        "ρ": "p",
        "τ": "t",
        "ı": "l",
        "ɡ": "g",
        "é": "e",
        "è": "e",
        "ê": "e",
        "á": "a",
        "à": "a",
        "â": "a",
        "ä": "a",
        "ó": "o",
        "ò": "o",
        "ö": "o",
        "ü": "u",
        "ú": "u",
        "ù": "u",
        "í": "l",
        "ì": "l",
        "ç": "c",
        "ñ": "n",
    }
)
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m"))
_MIN_LENGTH = 5


def domain(host: str) -> str:
    """The registered domain: ``example.org`` of ``api.example.org``, ``example.co.uk`` of
    ``a.example.co.uk``."""
    labels = host.split(".")
    count = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SECOND_LEVELS else 2
    return ".".join(labels[-count:])


class _Known(NamedTuple):
    """A domain that may be imitated, and its parts."""

    name: str
    dashed: str
    first: str
    rest: str
    skeleton: str


@lru_cache(16)
def _known(others: frozenset[str]) -> tuple[_Known, ...]:
    """Domains that may be imitated, each also with dashes in place of dots."""
    parts = ((known, *known.partition(".")[::2]) for known in sorted(IMITATED | others))
    return tuple(
        _Known(name, name.replace(".", "-"), first, rest, _skeleton(first))
        for name, first, rest in parts
    )


# A log says the same few domains and packages again and again.
@lru_cache(1 << 12)
def imitated_host(host: str, others: frozenset[str] = frozenset()) -> str | None:
    """The domain that `host` imitates, or None.

    Args:
        host: in its plain form.
        others: more domains that it may imitate, besides the well-known ones.
    """
    own = domain(host)
    if own in IMITATED or own in SHARED or own in others:
        return None
    dotted, parts = f".{host}", {own.partition(".")[0], *host.split(".")}
    first, _, rest = _unicode(own).partition(".")
    skeleton = _skeleton(first)
    for known in _known(others):
        # A well-known name in the wrong place: s3.amazonaws.com.evil.example, github-com.example.
        if known.dashed in parts or known.name in parts or f".{known.name}." in dotted:
            return known.name
        if _close(first, rest, skeleton, known):
            return known.name
    return None


@lru_cache(1 << 12)
def imitated_package(name: str) -> str | None:
    """The package that `name` imitates, or None."""
    plain = name.lower().replace("-", "_")
    if name in PACKAGES or plain in {package.lower() for package in PACKAGES}:
        return None
    return next(
        (
            known
            for known in sorted(PACKAGES)
            if len(known) >= _MIN_LENGTH and _near(plain, known.lower())
        ),
        None,
    )


def _close(first: str, rest: str, skeleton: str, known: _Known) -> bool:
    """Whether a domain, in Unicode, is close to a known one."""
    if skeleton == known.skeleton:
        return first != known.first or (rest != known.rest and len(known.first) >= _MIN_LENGTH)
    if len(known.first) < _MIN_LENGTH:
        return False
    # The known name between dashes, or at an end.
    if known.first in first and (
        f"{known.first}-" in f"{first}-" or f"-{known.first}" in f"-{first}"
    ):
        return True
    return abs(len(first) - len(known.first)) <= 1 and _near(first, known.first)


@lru_cache(1 << 12)
def _skeleton(text: str) -> str:
    found = text.lower()
    for pair, single in _PAIRS:
        found = found.replace(pair, single)
    return found.translate(_CONFUSED)


@lru_cache(1 << 12)
def _unicode(name: str) -> str:
    labels = []
    for label in name.split("."):
        try:
            labels.append(idna.ToUnicode(label))
        except UnicodeError:
            labels.append(label)
    return ".".join(labels)


def _near(name: str, known: str) -> bool:
    """Whether the names differ by one letter added, removed or replaced, or by two exchanged. Equal
    names are not near.
    """
    if name == known or abs(len(name) - len(known)) > 1:
        return False
    at = next(
        (i for i, (a, b) in enumerate(zip(name, known, strict=False)) if a != b),
        min(len(name), len(known)),
    )
    rest, other = name[at:], known[at:]
    return (
        rest[1:] == other[1:]
        or rest[1:] == other
        or rest == other[1:]
        or (rest[:2] == other[1::-1] and rest[2:] == other[2:])
    )
