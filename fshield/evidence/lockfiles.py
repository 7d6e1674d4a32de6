"""Lock files: which packages, in which versions. ``requirements.txt`` as pip, pip-tools and uv
write it, with hashes or without, and npm's ``package-lock.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fshield.errors import CouldNotRun, Finding, PolicyError, shown
from fshield.evidence.events import harmless

MAX_BYTES = 64 << 20
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_REQUIREMENT = re.compile(rf"({_NAME})\s*(?:\[[^\]]*\])?\s*(.*)\Z", re.DOTALL)
_PINNED = re.compile(r"\(?\s*={2,3}\s*([^\s,;*()]+)\s*\)?\Z")
_HASH = re.compile(r"--hash[= ]([a-z0-9]+:[0-9A-Za-z+/=_-]+)")
_COMMENT = re.compile(r"(?:^|\s)#(.*)\Z")
_WHEEL = re.compile(rf"/({_NAME})-[^-/]+-[^/]*\.whl\b")
_EGG = re.compile(rf"#egg=({_NAME})")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://|git\+")
_LOCAL = (".", "/", "file:")
_OTHERS = {
    "poetry.lock": "poetry export -o requirements.txt",
    "uv.lock": "uv export -o requirements.txt",
    "Pipfile.lock": "pipenv requirements --hash >requirements.txt",
    "pdm.lock": "pdm export -o requirements.txt",
    "yarn.lock": "npm install --package-lock-only",
    "pnpm-lock.yaml": "npm install --package-lock-only",
}


@dataclass
class Pin:
    """One package of a lock file.

    Args:
        name: as in the file.
        line: of its first occurrence.
        versions: each that is installed; npm may have several, and pip by markers. A URL, where the
            package comes from one.
        hashes: of its files.
        required_by: other packages of the file that require it, as far as the file says so.
    """

    name: str
    line: int
    versions: set[str] = field(default_factory=set)
    hashes: set[str] = field(default_factory=set)
    required_by: set[str] = field(default_factory=set)


@dataclass
class Lock:
    """A lock file.

    Args:
        file: as the user named it.
        kind: whose it is.
        pins: by name, as `key` has it.
    """

    file: str
    kind: Literal["pip", "npm"]
    pins: dict[str, Pin] = field(default_factory=dict)

    def add(self, name: str, line: int) -> Pin:
        """The pin of that name."""
        return self.pins.setdefault(key(name), Pin(name, line))

    def requirers(self, name: str) -> set[str]:
        """The packages that require `name`, and those that require them."""
        found: set[str] = set()
        queue = [name]
        while queue:
            pin = self.pins.get(queue.pop())
            more = (pin.required_by if pin else set()) - found
            found |= more
            queue += more
        return found - {name}


def key(name: str) -> str:
    """A name as PEP 503 normalises it. npm's own names stay as they are."""
    return name if name[:1] == "@" else re.sub(r"[-_.]+", "-", name).lower()


def read_lock(path: Path) -> Lock:
    """The packages of a lock file.

    Raises:
        CouldNotRun: it cannot be read, or it is of a kind that is not read here.
        PolicyError: it is wrong, or does not pin a package.
    """
    if path.name in _OTHERS:
        raise CouldNotRun(
            f"{path}: a lock of another kind: requirements.txt and package-lock.json are read",
            _OTHERS[path.name],
        )
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else "not the name of a file"
        raise CouldNotRun(f"{path}: {problem}", "name a lock file") from error
    if len(content) > MAX_BYTES:
        raise CouldNotRun(f"{path}: more than {MAX_BYTES >> 20} MB", "name a lock file")
    text = content.decode("utf-8-sig", "replace")
    lock = _npm(path, text) if text.lstrip()[:1] == "{" else _pip(path, text)
    if not lock.pins:
        raise CouldNotRun(
            f"{path}: it names no package", "name a requirements.txt or a package-lock.json"
        )
    return lock


def _wrong(
    file: str, line: int, column: int, message: str, fix: str, excerpt: str = ""
) -> PolicyError:
    found = Finding("error", file, line, column, message, fix=fix, excerpt=excerpt or None)
    return PolicyError(found)


# ---- requirements.txt ----


def _pip(path: Path, text: str) -> Lock:
    lock = Lock(str(path), "pip")
    pin: Pin | None = None
    for line, requirement, comment in _logical(text):
        if requirement:
            pin = _requirement(lock, line, requirement)
        if pin and comment:
            pin.required_by |= _via(comment)
    return lock


def _logical(text: str) -> Iterator[tuple[int, str, str]]:
    """Lines with what continues them: the number of the first, the requirement, the comment."""
    parts: list[str] = []
    first = 1
    for number, line in enumerate(text.splitlines(), 1):
        comment = _COMMENT.search(line)
        rest = line[: comment.start()] if comment else line
        if not parts:
            first = number
        parts.append(rest.rstrip().removesuffix("\\"))
        if rest.rstrip().endswith("\\") and not comment:
            continue
        yield first, " ".join(part.strip() for part in parts).strip(), comment[1] if comment else ""
        parts = []
    if parts:
        yield first, " ".join(part.strip() for part in parts).strip(), ""


def _via(comment: str) -> set[str]:
    """The packages that a comment of pip-tools or uv names: ``# via requests, -r app.in``."""
    words = re.sub(r"\A\s*via\b", "", comment)
    names = (part.strip() for part in words.split(","))
    return {key(name) for name in names if re.fullmatch(_NAME, name)}


def _requirement(lock: Lock, line: int, text: str) -> Pin | None:
    file = lock.file
    if re.match(r"(-e|--editable)\b", text):
        text = re.sub(r"\A\S+[\s=]*", "", text)
    if re.match(r"(-r|--requirement|-c|--constraint)\b", text):
        raise _wrong(
            file,
            line,
            1,
            "it names another file: a lock has every package in it",
            "name what pip-compile, uv pip compile or pip freeze writes",
            text,
        )
    if text.startswith("-") or text.startswith(_LOCAL):
        return None  # an option, or the project itself
    hashes = set(_HASH.findall(text))
    plain = re.sub(r"\s--\S.*\Z", "", f"{text} ".replace(" --", " --"), flags=re.DOTALL).strip()
    if _URL.match(plain):
        found = _EGG.search(plain) or _WHEEL.search(plain)
        if not found:
            raise _wrong(file, line, 1, "no name of a package is in this URL", "NAME @ URL", plain)
        return _pinned(lock, line, found[1], plain, hashes)
    match = _REQUIREMENT.match(plain)
    if not match:
        raise _wrong(
            file,
            line,
            1,
            f"{shown(plain)} is not a requirement",
            "NAME==VERSION, as pip freeze writes it",
            plain,
        )
    name, rest = match[1], match[2]
    if rest.startswith("@"):
        return _pinned(lock, line, name, rest[1:].strip(), hashes)
    version = _PINNED.match(rest.partition(";")[0].strip())
    if not version:
        raise _wrong(
            file,
            line,
            len(name) + 1,
            f"{name} is not pinned to one version",
            f"{name}==VERSION, as pip-compile, uv pip compile or pip freeze write it",
            plain,
        )
    return _pinned(lock, line, name, version[1], hashes)


def _pinned(lock: Lock, line: int, name: str, version: str, hashes: set[str]) -> Pin:
    pin = lock.add(name, line)
    pin.versions.add(version)
    pin.hashes |= hashes
    return pin


# ---- package-lock.json ----


def _npm(path: Path, text: str) -> Lock:
    lock = Lock(str(path), "npm")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        problem = getattr(error, "msg", "nested too deeply")
        lines = text.splitlines()
        excerpt = lines[line - 1] if line <= len(lines) else ""
        raise _wrong(
            lock.file,
            line,
            column,
            f"not JSON: {problem}",
            "npm install --package-lock-only",
            excerpt,
        ) from error
    packages, nested = document.get("packages"), document.get("dependencies")
    if not isinstance(document.get("lockfileVersion"), int) or not isinstance(
        packages if packages is not None else nested, dict
    ):
        raise _wrong(
            lock.file,
            1,
            1,
            "a JSON document, and not a package-lock.json: lockfileVersion 1 to 3",
            "npm install --package-lock-only",
        )
    where = _Lines(text)
    if packages is not None:
        _npm_packages(lock, packages, where)
    else:
        _npm_nested(lock, nested, where, 0)
    return lock


class _Lines:
    """On which line a key of a JSON document stands."""

    def __init__(self, text: str) -> None:
        self._found: dict[str, int] = {}
        for number, line in enumerate(text.splitlines(), 1):
            for match in re.finditer(r'"((?:[^"\\]|\\.)*)"\s*:', line):
                self._found.setdefault(match[1], number)

    def of(self, name: str) -> int:
        return self._found.get(json.dumps(name)[1:-1], 1)


def _npm_packages(lock: Lock, packages: dict[str, Any], where: _Lines) -> None:
    for place, entry in packages.items():
        if "node_modules/" not in place or (isinstance(entry, dict) and entry.get("link")):
            continue  # the project itself and its workspaces
        name = place.rpartition("node_modules/")[2]
        _npm_entry(lock, name, entry, where.of(place))


def _npm_nested(lock: Lock, found: dict[str, Any], where: _Lines, depth: int) -> None:
    for name, entry in found.items():
        _npm_entry(lock, name, entry, where.of(name))
        inner = entry.get("dependencies")
        if isinstance(inner, dict) and depth < 100:
            _npm_nested(lock, inner, where, depth + 1)


def _npm_entry(lock: Lock, name: str, entry: Any, line: int) -> None:
    version = entry.get("version") if isinstance(entry, dict) else None
    if not isinstance(version, str):
        raise _wrong(
            lock.file,
            line,
            1,
            f"{harmless(name)} has no version",
            "npm install --package-lock-only",
        )
    integrity = entry.get("integrity")
    hashes = set(integrity.split()) if isinstance(integrity, str) else set()
    _pinned(lock, line, name, version, hashes)
    for kind in ("dependencies", "requires", "optionalDependencies", "peerDependencies"):
        required = entry.get(kind)
        for other in required if isinstance(required, dict) else ():
            # In version 1 `dependencies` are nested packages, and `requires` is what they are here.
            lock.pins.setdefault(key(other), Pin(other, line)).required_by.add(key(name))
