"""Recognises names that are random or different each time, and makes patterns of them.

A name in the form of a known generator (tempfile, a UUID, a hash, the time, the request's id)
becomes a pattern at first sight. A part that may be generated (a number, a few hex digits) becomes
one once two names differ in it. docs/learning.md has the rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from fshield.evidence.known import ABBREVIATIONS, PACKAGES, SPOOLERS

#: With this many names in one folder below /tmp, a pattern for that folder is learnt.
MANY_NAMES = 3
#: With this many hosts, a pattern for their domain is learnt.
MANY_HOSTS = 5
_DAY_S = 86400
#: Ignore shorter request ids: they would match by chance.
_REQUEST = 8

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
# A digest in hex, or a UUID without dashes: letters and digits both.
_HASH = re.compile(
    r"(?<![0-9A-Za-z])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{16,128}(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])(?=[A-F]*[0-9])(?=[0-9]*[A-F])[0-9A-F]{16,128}(?![0-9A-Za-z])"
)
# s3transfer: a dot and eight hex digits, of either case, after the file's name.
# https://github.com/boto/s3transfer/blob/0.14.0/s3transfer/utils.py
_TRANSFER = re.compile(r"(?<=.)\.[0-9a-fA-F]{8}\Z")
# A date, or a date and a time.
_DAY = re.compile(
    r"(?<![0-9])(20[0-9]{2})([-_.]?)([01][0-9])\2([0-3][0-9])"
    r"(?:([T_ -]?)[0-2][0-9][:_.-]?[0-5][0-9](?:[:_.-]?[0-5][0-9](?:[.,_]?[0-9]{3,6})?)?)?(?![0-9])"
)
# Seconds since 1970, or milli-, micro-, nanoseconds; or what time.time() prints.
_EPOCH = re.compile(r"(?<![0-9])(1[0-9]{9})(\.[0-9]{1,7}|[0-9]{3}|[0-9]{6}|[0-9]{9})?(?![0-9])")
# tempfile: eight of these, after any prefix and before any suffix. What touches a part that was
# recognised already, as `__jinja2_` before a hash, is not taken for them.
# https://github.com/python/cpython/blob/3.13/Lib/tempfile.py
_RUN = re.compile(r"(?<![?a-z0-9_])[a-z0-9_]{8,}(?![?A-Za-z0-9_])")
_EIGHT = 8
#: The lengths of keys, the most frequent first.
_KEYS = (32, 40, 64)
_SHORT = 3
_WORDS = re.compile(
    r"(?:[a-z]{3,}(?:_[a-z]{2,})*|[a-z]{2}(?:_[a-z]{3,})+)(?:_?[a-z]?[0-9]+)?|[0-9_]+"
)
# A part between underscores that people and counters write: `run`, `0001`, `part1`, `2nd`, `720p`,
# `640x480`.
_ORDINARY = re.compile(
    r"([a-z]*)[0-9]*|[0-9]+(?:st|[nr]d|th|[dhkmpswx]|[gkm]b|ms|px|dpi|fps|x[0-9]+)"
)
# What tempfile adds to a final name, if a file is written under such a name and then renamed.
_ADDED = re.compile(r"([-._]?)([a-z0-9_]{8})((?:\.[A-Za-z0-9]{1,8})?)")
# For each letter from a to z, the letters that follow it in words and in programs' names.
_FOLLOWERS = (
    ("a", "bcdefgiklmnprstuvwxy"), ("b", "abcdeijlmnoprstuy"), ("c", "acdefghiklmnopqrstuvy"),
    ("d", "abcdefgilmnoprstuvy"), ("e", "abcdefghiklmnopqrstuvwxy"), ("f", "acdefilmnoprstuy"),
    ("g", "aceghilmnoprstuw"), ("h", "adeilmnorstuy"), ("i", "abcdefgklmnoprstvxz"), ("j", "eou"),
    ("k", "adegilnsuw"), ("l", "abcdefiklmnoprstuvy"), ("m", "abcdeiklmnopstuy"),
    ("n", "abcdefghiklmnoprstuvwy"), ("o", "abcdefgiklmnoprstuvwx"), ("p", "abcdefhiklnoprstuwy"),
    ("q", "u"), ("r", "abcdefghiklmnoprstuvwy"), ("s", "abcdefghiklmnopqrstuvwy"),
    ("t", "abcdefhiklmnoprstuvwxyz"), ("u", "abcdefgilmnoprst"), ("v", "aeimo"),
    ("w", "acdehilnors"), ("x", "acefilopsty"), ("y", "bcdefilmnoprstw"), ("z", "aeio"),
)  # fmt: skip
_PAIRS = frozenset(first + second for first, seconds in _FOLLOWERS for second in seconds)

# Parts that may be generated, or may be fixed.
_HEX = re.compile(r"(?<![0-9A-Za-z])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,15}(?![0-9A-Za-z])")
# mkstemp(3) and mktemp(1): a dot, then six or more letters of both cases or digits.
_MKSTEMP = re.compile(r"(?<=[.\-_])(?=[^A-Z]*[A-Z])(?=[^a-z0-9]*[a-z0-9])[A-Za-z0-9]{6,10}\Z")
# npm's tmp: a dash, then twelve characters that no word in capitals consists of.
_CAMEL = r"(?:[A-Z]?[a-z]{2,}|[A-Z]{2,}|[0-9]+)+\Z"
_NPM_TMP = re.compile(rf"(?<=-)(?!{_CAMEL})(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])[A-Za-z0-9]{{12}}\Z")
_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9]{4,20}(?![0-9A-Za-z])")


class Moment(NamedTuple):
    """When a name was seen, and in which request: a name can contain either.

    Args:
        time: seconds since 1970; 0 if unknown.
        request: the request's id; "" if unknown.
    """

    time: float = 0.0
    request: str = ""


NEVER = Moment()


def shape(path: str, moment: Moment = NEVER) -> str:
    """`path`, with every part that is certainly generated as `?` and `*`, and everything below a
    folder with a generated name as ``/**``. The path itself if it has no such part.
    """
    return _joined(path.split("/"), lambda part: _certain(part, moment))


def before_rename(pattern: str, final: str) -> str:
    """`pattern`, of a path that was renamed to `final`: where it is `final` and tempfile's eight
    characters, as in ``/tmp/a.cachexi4dh52r.tmp``, these are ``?``. Directly after letters, `shape`
    needs more evidence of them than the rename leaves to be shown.
    """
    added = _ADDED.fullmatch(pattern[len(final) :]) if pattern.startswith(final) else None
    # `_partial` and the like are words.
    if added is None or not _is_made_up(added[2].strip("_"), glued=False):
        return pattern
    return f"{final}{added[1]}{'?' * _EIGHT}{added[3]}"


def loose(pattern: str) -> str:
    """`pattern`, from `shape`, with also every part that may be generated as `?` and `*`. Two names
    are merged only if they are equal in this form.
    """
    return "/".join(_uncertain(part) for part in pattern.split("/"))


def joint(first: str, second: str, common: str) -> str:
    """The narrowest pattern for two names with the same `loose` form `common`: parts that differ
    are taken from `common`.
    """
    if first == second:
        return first
    parts = zip(first.split("/"), second.split("/"), common.split("/"), strict=True)
    return "/".join(a if a == b else wide for a, b, wide in parts)


def _joined(parts: list[str], shaped: Callable[[str], str]) -> str:
    out: list[str] = []
    for at, part in enumerate(parts):
        found = shaped(part)
        out.append(found)
        if found != part and at < len(parts) - 1:
            return "/".join([*out, "**"])
    return "/".join(out)


def _certain(name: str, moment: Moment) -> str:
    if len(name) < _EIGHT or "*" in name or "?" in name:
        return name
    found = name
    if len(moment.request) >= _REQUEST and moment.request in found:
        found = found.replace(moment.request, re.sub(r"[^-]", "?", moment.request))
    if moment.time:
        found = _EPOCH.sub(
            lambda match: _if_now(match, moment),
            _DAY.sub(lambda match: _if_today(match, moment), found),
        )
    return _generated(found)


# A log says the same few names again and again.
@lru_cache(maxsize=4096)
def _generated(name: str) -> str:
    found = _HASH.sub(_marks, _UUID.sub(_dashed, name))
    found = _TRANSFER.sub(lambda match: "." + "?" * (len(match[0]) - 1), found)
    return _RUN.sub(_temporary, found)


def _temporary(match: re.Match[str]) -> str:
    """A run of characters, with tempfile's eight in it as ``?``; without such, the run itself."""
    run = match[0]
    key, mark, rest = run.partition("_")
    if (marked := _key(key)) != key:
        return marked + mark + _RUN.sub(_temporary, rest)
    begins = match.start() == 0
    if begins and run.startswith("tmp") and len(run) == len("tmp") + _EIGHT:
        return "tmp" + "?" * _EIGHT
    if _is_ordinary(run):
        return run
    tmp = run.startswith("tmp") and len(run) >= len("tmp") + _EIGHT
    if tmp and _is_made_up(run[len("tmp") :][:_EIGHT], glued=False):
        return "tmp" + "?" * _EIGHT + run[len("tmp") + _EIGHT :]
    found = [at for at in _places(run) if _is_made_up(run[at:][:_EIGHT], _is_glued(run, at))]
    if not found:
        return run
    at = max(found, key=lambda at: (not _is_glued(run, at), _oddness(run[at:][:_EIGHT]), at))
    return run[:at] + "?" * _EIGHT + run[at + _EIGHT :]


def _key(run: str) -> str:
    """A word and a key of many letters and digits, as Django's `sessionid48j7a0...`, with the key
    as ``?``; a run without such as it is.
    """
    for size in _KEYS:
        word, key = run[:-size], run[-size:]
        if len(run) >= size and _changes(key) >= size // 5 and _is_word(word):
            return word + "?" * size if not word or word.isalpha() else run
    return run


def _places(run: str) -> Iterable[int]:
    """Where in a run tempfile's eight may begin: before, between or after underscores, or at its
    end.
    """
    last = len(run) - _EIGHT
    free = (at for at in range(last) if not _is_glued(run, at) and run[at + _EIGHT] == "_")
    return (*free, last)


def _is_ordinary(run: str) -> bool:
    """Whether a run consists of words, abbreviations and numbers, with underscores in between."""
    for part in run.split("_"):
        found = _ORDINARY.fullmatch(part)
        if found is None or not _is_word(found[1] or ""):
            return False
    return True


def _is_word(letters: str) -> bool:
    """Whether it could be a word or an abbreviation; anything with one or two letters could."""
    pairs = (letters[at : at + 2] for at in range(len(letters) - 1))
    return (
        len(letters) < _SHORT
        or letters in ABBREVIATIONS
        or (bool(re.search(r"[aeiouy]", letters)) and all(pair in _PAIRS for pair in pairs))
    )


def _is_glued(run: str, at: int) -> bool:
    return at > 0 and run[at - 1] != "_"


def _changes(token: str) -> int:
    return len(re.findall(r"[a-z]+|[0-9]+|_", token)) - 1


def _oddness(token: str) -> int:
    """How little a token looks like a word: counts changes between letters and other characters,
    and pairs of letters that no word has.
    """
    letters = re.findall(r"[a-z]+", token)
    odd = sum(run[at : at + 2] not in _PAIRS for run in letters for at in range(len(run) - 1))
    return odd + _changes(token)


def _is_made_up(token: str, glued: bool) -> bool:
    """Whether eight characters are tempfile's, not a person's choice: words, words with a number,
    names of packages.

    Args:
        glued: directly after other letters, so that stronger evidence is needed.
    """
    if token in PACKAGES or token in SPOOLERS:
        return False
    letters = re.findall(r"[a-z]+", token)
    changes = _changes(token)
    odd = _oddness(token) - changes
    if glued:
        mixed = changes >= 3 and any(c.isdigit() for c in token)
        many = sum(map(len, letters)) >= _EIGHT // 2
        return many and (mixed or odd > 1 or (changes >= 1 and odd > 0))
    if not _WORDS.fullmatch(token):
        return True
    return odd > 0 or any(len(run) > 2 and not re.search(r"[aeiouy]", run) for run in letters)


def _if_today(match: re.Match[str], moment: Moment) -> str:
    try:
        day = datetime(int(match[1]), int(match[3]), int(match[4]), tzinfo=timezone.utc)
    except ValueError:
        return match[0]
    seen = datetime.fromtimestamp(moment.time, timezone.utc)
    near = abs(seen.replace(hour=0, minute=0, second=0, microsecond=0) - day) <= timedelta(days=1)
    return re.sub(r"[0-9]", "?", match[0]) if near else match[0]


def _if_now(match: re.Match[str], moment: Moment) -> str:
    if abs(int(match[1]) - moment.time) > _DAY_S:
        return match[0]
    # The output of time.time() varies in length.
    rest = match[2] or ""
    return "?" * len(match[1]) + (".*" if rest.startswith(".") else "?" * len(rest))


@lru_cache(maxsize=4096)
def _uncertain(name: str) -> str:
    if "*" in name or not any(c.isdigit() or c.isupper() for c in name):
        return name
    found = _DAY.sub(lambda match: re.sub(r"[0-9]", "?", match[0]), name)
    found = _NPM_TMP.sub(_marks, _MKSTEMP.sub(_marks, _HEX.sub(_marks, found)))
    return _NUMBER.sub("*", found)


def _marks(match: re.Match[str]) -> str:
    return "?" * len(match[0])


def _dashed(match: re.Match[str]) -> str:
    return re.sub(r"[^-]", "?", match[0])


# ---- siblings ----

_PIECE = re.compile(r"[A-Za-z]+|[0-9]+|[?-]*[?]|[^A-Za-z0-9]")
_TRANSFERRED = "." + "?" * 8
#: Limits: no siblings are searched among names with more pieces, or in folders with more names.
_PIECES, _NAMES = 24, 2000
#: At most this many forms of generated names are searched in one folder.
_FORMS = 16
#: Folders below this depth are not searched.
_DEEP = 32


def siblings(names: Iterable[str]) -> dict[str, list[str]]:
    """Patterns such as ``a-*.png``, for those of `names` (all in one folder) that differ in one
    place.

    Siblings share the suffix, and, besides it, whole words, numbers and signs with at least two
    letters. If they differ in a number, numbers next to it may differ as well: files of one month
    are siblings of those of other years.

    Returns:
        each pattern, with its names.
    """
    groups: dict[tuple[str, str], set[str]] = {}
    for name in sorted(set(names))[:_NAMES]:
        # A pattern of earlier siblings has one `*`. Transfers of boto3 are left out.
        left_out = "**" in name or name.endswith(_TRANSFERRED)
        pieces = [] if left_out else _PIECE.findall(name)
        if len(pieces) > _PIECES:
            continue
        end = len(pieces) - 1 - pieces[::-1].index(".") if "." in pieces[1:] else len(pieces)
        heads = [(head, _letters(head)) for head in accumulate(pieces[:end], initial="")]
        tails = ["".join(pieces[after:]) for after in range(end + 1)]
        # For `a.tar.gz`, `.tar.gz` has the stem `tar`, and `.gz` has none.
        stems = [_letters(tail.removeprefix(".").partition(".")[0]) for tail in tails[:end]] + [0]
        for begin in range(end):
            head, letters = heads[begin]
            if "*" in head:
                break
            for after in range(begin + 1, end + 1):
                if "?" in pieces[after - 1]:  # generated: not what siblings differ in
                    break
                if letters + stems[after] >= 2 and "*" not in tails[after]:
                    groups.setdefault((head, tails[after]), set()).add(name)
    out: dict[str, list[str]] = {}
    taken: set[str] = set()
    order = sorted(
        groups.items(), key=lambda item: (-len(item[1]), -len("".join(item[0])), item[0])
    )
    for (head, tail), members in order:
        rest = sorted(members - taken)
        if len(rest) > 1:
            stretches = [name[len(head) : len(name) - len(tail)] for name in rest]
            numbers = all(stretch.isdigit() for stretch in stretches)
            ends = _without_numbers(head, tail) if numbers else (head, tail)
            out.setdefault("*".join(ends), []).extend(rest)
            taken.update(rest)
    return out


def _letters(part: str) -> int:
    return len(part) if part.isalpha() else sum(c.isalpha() for c in part)


def _without_numbers(head: str, tail: str) -> tuple[str, str]:
    """`head` and `tail` without the numbers next to the gap, if two letters remain."""
    shorter = re.sub(r"(?:(?<![0-9A-Za-z])[0-9]+[-_.])+\Z", "", head)
    rest = re.sub(r"\A(?:[-_][0-9]+(?![0-9A-Za-z]))+", "", tail)
    letters = sum(c.isalpha() for c in shorter + rest.partition(".")[0])
    return (shorter, rest) if letters >= 2 else (head, tail)


_SUFFIX = re.compile(r"[^?*.][^?*]*?((?:\.[A-Za-z][0-9A-Za-z]{0,7}){1,2}(?:\.\?{8})?)\Z")


# What a date, a request's id or tempfile's eight characters are in, between other characters.
_MADE = re.compile(r"[^?*]*[^?*_.~ -]([_.~ -][?_-]*[?](?:\.[A-Za-z][0-9A-Za-z]{0,7}){1,2})\Z")


def _alike_in_tmp(names: Iterable[str]) -> dict[str, list[str]]:
    """Patterns for names directly in /tmp that share only a suffix, or a generated part and a
    suffix: ``*.png``, ``*-????????.png``.
    """
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        found = _SUFFIX.fullmatch(name) or _MADE.fullmatch(name)
        if found:
            groups.setdefault(found[1], []).append(name)
    return {f"*{end}": names for end, names in groups.items() if len(names) >= MANY_NAMES}


def gathered(patterns: Iterable[str]) -> dict[str, str]:
    """For each of `patterns` (of objects under /tmp), the pattern for it and its siblings; itself
    if it has none.
    """
    found = _gathered({pattern: [pattern] for pattern in patterns}, "/tmp")
    return {pattern: whole for whole, members in found.items() for pattern in members}


def _gathered(items: dict[str, list[str]], folder: str) -> dict[str, list[str]]:
    """Merge the patterns in or below `folder`; each result with the patterns that it covers."""
    if folder.count("/") > _DEEP:
        return items
    out = {value: members for value, members in items.items() if not _is_in(value, folder)}
    children: dict[tuple[str, bool], dict[str, list[str]]] = {}
    for value, members in items.items():
        if value not in out:
            name, slash, _ = value[len(folder) + 1 :].partition("/")
            children.setdefault((name, bool(slash)), {})[value] = members
    for is_folder in (False, True):
        names = [name for name, below in children if below == is_folder]
        found = _below_made_up(children, names) if is_folder else {}
        met = {name for alike in found.values() for name in alike}
        for pattern, alike in siblings(name for name in names if name not in met).items():
            found.setdefault(pattern, []).extend(alike)
        if folder == "/tmp" and not is_folder:
            met |= {name for alike in found.values() for name in alike}
            found |= _alike_in_tmp(name for name in names if name not in met)
        for pattern, alike in found.items():
            inside = [m for name in alike for m in _all(children.pop((name, is_folder)))]
            whole = f"{folder}/{pattern}/**" if is_folder else f"{folder}/{pattern}"
            children[pattern, is_folder] = {whole: inside}
    if folder != "/tmp" and len({name for name, _ in children}) >= MANY_NAMES:
        # A package that made this many names in its own folder will make more.
        whole = f"{folder}/**" if any(below for _, below in children) else f"{folder}/*"
        inside = [member for each in children.values() for member in _all(each)]
        return {**out, whole: [*out.pop(whole, []), *inside]}
    for (name, is_folder), each in children.items():
        fixed = is_folder and not re.search(r"[*?]", name)
        out.update(_gathered(each, f"{folder}/{name}") if fixed else each)
    return out


def _below_made_up(children: Iterable[tuple[str, bool]], names: list[str]) -> dict[str, list[str]]:
    """For folders whose own names are generated in one form: a pattern with that form."""
    forms = [name for name, below in children if not below and "?" in name and "*" not in name]
    found = {form: [name for name in names if matches(form, name)] for form in forms[:_FORMS]}
    return {form: alike for form, alike in found.items() if alike}


def _is_in(value: str, folder: str) -> bool:
    return value.startswith(f"{folder}/")


def _all(each: dict[str, list[str]]) -> list[str]:
    return [member for members in each.values() for member in members]


def matches(pattern: str, path: str) -> bool:
    """Whether the pattern matches the path, as in the engine. For checks in this package only:
    verdicts come from the engine. A path may itself have a ``*``, for a part of any length, which
    no ``?`` matches.
    """
    parts = re.split(r"(\*\*|\*|\?)", pattern)
    made = {"**": r".*", "*": r"[^/]*", "?": r"[^/*]"}
    text = "".join(made.get(part, re.escape(part)) for part in parts)
    if pattern.endswith("/**"):
        # In the engine, ``DIR/**`` matches DIR too.
        text = text.removesuffix("/.*") + "(?:/.*)?"
    return re.fullmatch(text, path, re.DOTALL) is not None
