"""Names that are made up anew each time, and what they have in common: patterns where the evidence says so.

One name is one name. A pattern is learnt where a part of it has the form of a known generator of names, or where many
names stood in one place.
"""

from __future__ import annotations

import re

#: From how many names in one folder a pattern for that folder is learnt, and from how many hosts one for their domain.
MANY_NAMES = 10
MANY_HOSTS = 5

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
# tempfile: "tmp" and eight of these; the same eight alone to see whether a folder can be written to.
# https://github.com/python/cpython/blob/3.13/Lib/tempfile.py
_TEMPFILE = re.compile(r"(?<=tmp)[a-z0-9_]{8}(?![a-z0-9_])")
_PROBE = re.compile(r"(?=[a-z_]*[0-9])[a-z0-9_]{8}\Z")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,64}(?![0-9A-Za-z])")
# mkstemp(3) and mktemp(1): six or more after a dot, letters of both cases or digits.
_MKSTEMP = re.compile(r"(?<=[.\-_])(?=[^A-Z]*[A-Z])(?=[^a-z0-9]*[a-z0-9])[A-Za-z0-9]{6,10}\Z")
_DAY = re.compile(r"(?<![0-9])20[0-9]{2}-?[01][0-9]-?[0-3][0-9](?![0-9])")
_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9]{4,20}(?![0-9A-Za-z])")


def shape(path: str) -> tuple[str, bool]:
    """The pattern of a path whose parts were made up, and whether one sight of it is enough.

    Returns:
        the path itself and True where nothing in it looks made up; the pattern and True where it is tempfile's own
        form, False where two different names should have been seen before it is believed.
    """
    if "tmp" not in path and not any(c.isdigit() or c.isupper() for c in path):
        return path, True
    parts = path.split("/")
    shaped = [_shape(part) for part in parts]
    return "/".join(text for text, _ in shaped), all(sure for _, sure in shaped)


def _shape(name: str) -> tuple[str, bool]:
    if not name or "*" in name or "?" in name:
        return name, True
    found = _TEMPFILE.sub(_marks, name)
    if found != name:
        return found, True
    if _PROBE.match(name):
        return "?" * 8, True
    for pattern, replace in ((_UUID, _dashed), (_DAY, _digits), (_HEX, _marks), (_MKSTEMP, _marks), (_NUMBER, _star)):
        found = pattern.sub(replace, found)
    return found, found == name


def _marks(match: re.Match[str]) -> str:
    return "?" * len(match[0])


def _dashed(match: re.Match[str]) -> str:
    return re.sub(r"[^-]", "?", match[0])


_digits = _dashed


def _star(_match: re.Match[str]) -> str:
    return "*"


def matches(pattern: str, path: str) -> bool:
    """Whether the pattern is the engine's for this path: for what is checked here only; verdicts are the engine's."""
    parts = re.split(r"(\*\*|\*|\?)", pattern)
    made = {"**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.fullmatch("".join(made.get(part, re.escape(part)) for part in parts), path, re.DOTALL) is not None
