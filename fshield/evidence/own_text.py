"""Finds the hosts, files below /tmp and programs that the function's own code and configuration
name.

If the function's own code or a configuration variable contains a host, path or program as text, a
person chose it, whichever client library reached it. Text in a dependency's files does not count.
Dependencies are recognised by the metadata of installed distributions, and by `node_modules`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from fshield.bundle.contents import PackedFile, files
from fshield.evidence import named_hosts
from fshield.evidence.acts import Act, Seen
from fshield.evidence.callers import Packages
from fshield.evidence.requirements import Requirements, imports, makes_tasks, requirements
from fshield.evidence.shapes import matches

_SUFFIXES = frozenset(
    [
        *(".py", ".js", ".mjs", ".cjs", ".ts", ".mts"),
        *(".json", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".env", ".properties"),
    ]
)
#: Files that list dependencies: their text does not count.
_LISTS = frozenset(
    ["package.json", "package-lock.json", "npm-shrinkwrap.json", "pdm.lock", "poetry.lock"]
)
_FOREIGN = frozenset(["node_modules", "site-packages", "dist-packages", "__pycache__"])
_LARGEST, _ALL = 1 << 22, 1 << 26
_PATH = re.compile(r"/tmp/[A-Za-z0-9][A-Za-z0-9._/-]{2,}")
# A placeholder in a name: {name}, ${event["day"]}, %s. The literal letters around it make the name
# the function's.
_TEMPLATE = re.compile(
    r"/tmp/(?:[A-Za-z0-9._/@+ -]|\$?\{[^{}\n]{1,80}\}|%[sd])+(?=[\"'`])", re.ASCII
)
_HOLE = re.compile(r"\$?\{[^{}\n]{1,80}\}|%[sd]")
# What esbuild, webpack and ncc leave in their output, and what minifying makes of a file.
_BUNDLED = re.compile(rb"node_modules/|__webpack_require__|__commonJS\b|__toESM\b|[^\n]{8000}")
_SCRIPTS = frozenset([".js", ".mjs", ".cjs"])
_LARGE = 1 << 18
_MODULE = re.compile(r"\.[cm]?[jt]s\Z|\.py\Z")


@dataclass
class OwnText:
    """The text of a function's own files and variables.

    Args:
        installed: packages of the distributions in the folder.
        own: modules and packages of the folder that belong to no distribution; empty if the folder
            has no metadata.
        requires: what the distributions in the folder require, and which the own files import.
        is_read: there are own files, and they were read.
        bundles: own files of JavaScript into which a bundler put packages, as their text shows.
        hosts: those of URLs, each with the variable that names it; "" for the code.
    """

    installed: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    requires: Requirements = field(default_factory=Requirements)
    is_read: bool = False
    bundles: tuple[str, ...] = ()
    hosts: Mapping[str, str] = field(default_factory=dict)
    _text: str = ""
    _paths: frozenset[str] = field(default=frozenset())
    _templates: frozenset[str] = field(default=frozenset())

    def names(self, act: Act, seen: Seen) -> bool:
        """Whether it names the target of `act`."""
        if act.rule == "outbound_connectivity":
            return act.address is None and "." in act.target and self._has(act.target)
        if act.rule == "create_child_process":
            return "/" in act.target and self._has(act.target)
        if act.rule == "read_write_tmp":
            return bool(seen.examples) and all(map(self.names_path, seen.examples))
        return False

    def names_path(self, path: str) -> bool:
        """Whether it names `path`, something above or below it, or the beginning of its name."""
        return self.template(path) is not None or any(
            known.startswith(f"{path}/")
            or (
                path.startswith(known)
                and (known[-1] in "-_./" or path[len(known) : len(known) + 1] in ("", *"-./"))
            )
            for known in self._paths
            if path != "/tmp"
        )

    def template(self, *paths: str) -> str | None:
        """A pattern for all of `paths`, from a name with placeholders (the one with the most
        letters), or else from a folder that is named. None if there is none, or if one of `paths`
        is named itself.
        """
        if not self._paths.isdisjoint(paths):
            return None
        folders = (*self._templates, *(known for known in self._paths if known[-1] not in "-_./"))
        for known in (self._templates, [f"{folder}/**" for folder in folders]):
            found = [one for one in known if all(matches(one, path) for path in paths)]
            if found:
                return max(found, key=lambda one: (len(one), one))
        return None

    @cached_property
    def _folded(self) -> str:
        return self._text.casefold()

    def _has(self, name: str) -> bool:
        # A quick test first: most names are not in the text, and a regular expression costs a
        # thousand times as much.
        if name.casefold() not in self._folded:
            return False
        whole = rf"(?<![A-Za-z0-9_./-]){re.escape(name)}(?![A-Za-z0-9_-]|\.[A-Za-z0-9_])"
        # A URL's host follows `//` or `@`, a program follows a quote or a blank.
        host = rf"(?<=//){re.escape(name)}(?![A-Za-z0-9_-]|\.[A-Za-z0-9_])"
        return bool(re.search(f"{whole}|{host}", self._text, re.IGNORECASE))


def tell_folder(packages: Packages, package: Path | None) -> None:
    """Tell `packages`, before it reads events, that the function's package may have run from its
    folder on this machine, as `fshield invoke` runs it.
    """
    if package and package.is_dir():
        packages.folders = (f"{package.resolve()}/", *packages.folders)


def count_as_own(packages: Packages, package: Path | None, variables: Mapping[str, str]) -> OwnText:
    """What a function's folder or zip, and its variables, name; `packages` learns from it which
    modules are the function's own and which distributions are installed.

    Raises:
        CouldNotRun: `package` cannot be read.
    """
    named = read(package, variables, packages.own)
    packages.note_installed(named.installed)
    packages.own |= named.own
    return named


def read(package: Path | None, variables: Mapping[str, str], known: Iterable[str]) -> OwnText:
    """Read the text of a function's folder or zip, and its variables.

    Args:
        known: modules that are known to be the function's own. If the folder has no metadata of
            distributions, only these are read, because dependencies would look like own code.

    Raises:
        CouldNotRun: `package` cannot be read.
    """
    packed = list(files(package)) if package else []
    listed, tells = _listed(packed)
    brought = {_top(name) for name in listed if _MODULE.search(name.name)}
    owners: dict[str, set[str]] = {}
    for name, abouts in listed.items():
        if _MODULE.search(name.name) or name.suffix == ".so":
            owners.setdefault(_package(name), set()).update(map(_distribution, abouts))
    # A package can leave files out of its RECORD, so its whole folder counts as the package's.
    foreign = frozenset(brought.difference(known))
    wanted = [
        file
        for file in packed
        if _is_own(file.name, listed, tells, frozenset(known))
        and not (len(file.name.parts) > 1 and _top(file.name) in foreign)
    ]
    texts, size = list(variables.values()), 0
    hosts: dict[str, str] = {}
    imported: set[str] = set()
    tasks = False
    bundles: list[str] = []
    for file in wanted:
        content = file.read() if _size(file) <= _LARGEST else b""
        if file.name.suffix in _SCRIPTS and (
            _size(file) > _LARGE or _BUNDLED.search(content) is not None
        ):
            bundles.append(str(file.name))
        size += len(content)
        if size > _ALL:
            break
        texts.append(content.decode("utf-8", "replace"))
        if str(file.name) not in bundles:
            hosts |= dict.fromkeys(named_hosts.in_code(texts[-1]), "")
        if file.name.suffix == ".py":
            imported |= imports(texts[-1])
            tasks = tasks or makes_tasks(texts[-1])
    text = "\n".join(texts)
    templates = {_HOLE.sub("*", each) for each in _TEMPLATE.findall(text)}
    own = {_top(file.name) for file in wanted if file.name.suffix == ".py"} if tells else set()
    return OwnText(
        frozenset(brought),
        frozenset(own - brought),
        requirements(_metadata(packed), owners, imported, tasks=tasks),
        bool(wanted),
        tuple(sorted(bundles)),
        hosts | named_hosts.in_variables(variables),
        text,
        frozenset(_PATH.findall(text)),
        frozenset(filter(_is_template, templates)),
    )


def _is_template(pattern: str) -> bool:
    """Whether the pattern has placeholders and is still specific: the components with placeholders
    have two literal letters (the suffix counts), and no folder of /tmp is a placeholder only.
    """
    parts = pattern.removeprefix("/tmp/").split("/")
    filled = [part for part in parts if "*" in part]
    letters = [sum(c.isalpha() for c in part) for part in filled]
    return bool(filled) and "**" not in pattern and (parts[0] not in filled or letters[0] >= 2)


def _listed(packed: Iterable[PackedFile]) -> tuple[dict[PurePosixPath, set[PurePosixPath]], bool]:
    """The files listed in the distributions' RECORDs, each with the folders of the RECORDs, and
    whether there is any RECORD or `node_modules`.
    """
    listed: dict[PurePosixPath, set[PurePosixPath]] = {}
    tells = False
    for file in packed:
        about = file.name.parent
        tells = tells or "node_modules" in file.name.parts
        if file.name.name != "RECORD" or about.suffix != ".dist-info":
            continue
        tells = True
        for row in csv.reader(file.read().decode("utf-8", "replace").splitlines()):
            if row and not row[0].startswith(("/", "..")):
                listed.setdefault(about.parent / row[0], set()).add(about)
    return listed, tells


def _metadata(packed: Iterable[PackedFile]) -> list[tuple[str, str]]:
    """The names of the distributions, and their METADATA."""
    return [
        (_distribution(file.name.parent), file.read().decode("utf-8", "replace"))
        for file in packed
        if file.name.name == "METADATA" and file.name.parent.suffix == ".dist-info"
    ]


def _distribution(about: PurePosixPath) -> str:
    return about.stem.partition("-")[0]


def _package(name: PurePosixPath) -> str:
    """The package of a file, as `Packages.package` has it."""
    return _top(name).partition(".")[0]


def _is_own(
    name: PurePosixPath, listed: Container[PurePosixPath], tells: bool, known: frozenset[str]
) -> bool:
    parts = name.parts
    if name.suffix not in _SUFFIXES or name.name in _LISTS or name in listed:
        return False
    if any(part in _FOREIGN or part.startswith(".") or ".dist-info" in part for part in parts[:-1]):
        return False
    if tells or _top(name) in known:
        return True
    return len(parts) == 1 and not _MODULE.search(name.name)


def _top(name: PurePosixPath) -> str:
    return _MODULE.sub("", name.parts[0])


def _size(file: PackedFile) -> int:
    return len(file.read()) if file.member else file.source.stat().st_size
