"""Finds the caller of an act: from an event's frames to the packages on the stack, and from these
to the one that wanted the act.

An act's innermost package is often a carrier: it makes requests for other packages. The caller is
the first package further out that is not a carrier: the function's own code, or a dependency that
acts by itself.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from fshield.evidence.known import (
    ADAPTERS,
    CALLERS,
    CARRIERS,
    CLIENT_LIBRARIES,
    CONNECTORS,
    DRIVERS,
    ENDPOINT_CALLS,
    FORKERS,
    HELPERS,
    NATIVE,
    PACKAGES,
    RUNTIMES,
    SPOOLERS,
    UTILITIES,
    VENDORS,
)

Chain = tuple[str, ...]
Kind = Literal["own", "dependency", "nobody"]

#: The engine shows at most eight frames. A stack with fewer is complete.
SHOWN = 8
_ROOTS = 64
#: The size of the cache from files to packages.
_FILES = 4096
_NAME = 80
_FRAME = re.compile(r"(.*):([0-9]+) (.*)\Z", re.DOTALL)
_INSTALLED = ("/site-packages/", "/dist-packages/", "/node_modules/")
_SCRIPT = re.compile(r"\.[cm]?[jt]s\Z")
_LIBRARY = re.compile(r"\.so(\.[0-9.]+)?\Z")
# Folders whose libraries belong to no package: the system's, a layer's, the runtime's, the
# function's.
_LIBRARIES = re.compile(
    r"(/usr|/opt|/var/lang|/var/task)?/lib(64)?(/[a-z0-9_]+-linux-gnu)?/[^/]+\Z"
)
# auditwheel puts the libraries that a package needs here. The loader keeps the path as it was
# written.
_BUNDLED = re.compile(r"/([^/]+)/\.\./([^/]+)\.libs/[^/]+\Z")
# On Lambda. The runtime's folder holds boto3 up to Python 3.11, and the runtime client.
_TASK = "/var/task/"
_PLACES = ("/opt/python/", "/var/runtime/")
_CLIENT = "awslambdaric"
_TABLES = frozenset((*CONNECTORS, *DRIVERS, *VENDORS, *SPOOLERS, *FORKERS, *NATIVE, *HELPERS))


@dataclass(frozen=True)
class Caller:
    """The package that wanted an act.

    Args:
        name: the package; "" if it is unknown.
        kind: the function's own code, a dependency that acts by itself, or unknown.
        through: the carriers in between, innermost first.
        driver: the first package on the stack that is neither known nor the function's own, if
            none of the function's own is further in: it may have told a known one what to do.
    """

    name: str
    kind: Kind
    through: Chain = ()
    driver: str = ""

    @property
    def words(self) -> str:
        """For a comment: ``app through requests, urllib3``."""
        through = ", ".join(reversed(self.through))
        if self.kind == "nobody":
            return f"{through}, for an unknown caller" if through else "an unknown caller"
        return f"{self.name} through {through}" if through else self.name


@dataclass
class Packages:
    """What a stream of events says about packages: where they are, and which are the function's
    own.

    Args:
        own: packages that are the function's own, because the user says so or the stacks show it.
        beside: packages in the folder of the function's own code that no installer put there.
        folders: where the function's package lies, each with a slash at its end: on Lambda, and
            where `fshield invoke` ran it.
    """

    own: set[str] = field(default_factory=set)
    beside: set[str] = field(default_factory=set)
    folders: tuple[str, ...] = (_TASK,)
    #: Chains of stacks that were cut, because more frames were there than an event shows.
    cut: set[Chain] = field(default_factory=set)
    _installed: set[str] = field(default_factory=set)
    _roots: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _packages: dict[str, str] = field(default_factory=dict)
    #: Packages that count as own because a stack began with them. If a runtime client calls the
    #: function, these are not: such a stack was cut (imports are deep).
    _began: set[str] = field(default_factory=set)
    _called: bool = False
    #: A caller often acts many times in a row. Its second act teaches nothing new.
    _last: tuple[dict[str, Any], Chain] = field(default=({}, ()))

    def chain(self, event: dict[str, Any]) -> Chain:
        """The packages on an event's stack, innermost first, without repeats in a row. May be
        empty.
        """
        origin = event.get("origin")
        if not origin:
            return ()
        if origin != self._last[0]:
            self._last = origin, self._chain(event, origin)
        return self._last[1]

    def _chain(self, event: dict[str, Any], origin: dict[str, Any]) -> Chain:
        first = str(origin.get("distribution") or "")
        self._learn_root(str(origin.get("file") or ""), first)
        frames = [_FRAME.match(text) for text in origin.get("stack") or ()]
        files = [(match[1], match[3]) for match in frames if match and not match[1].startswith("<")]
        found = [self.package(file) for file, _ in files]
        if (first == "__main__" and not found) or (first and not found):
            found = [first]
        elif not found:
            library = self.library(event)
            found = [library] if library else []
        names = tuple(
            name for at, name in enumerate(found) if name and (at == 0 or found[at - 1] != name)
        )
        if names and origin.get("version"):
            self._note_installed(names[0])
        for (file, _), name in zip(files, found, strict=False):
            self._learn_place(file, name)
        shown = len(origin.get("stack") or ())
        if shown >= SHOWN and len(self.cut) < _FILES:
            self.cut.add(names)
        self._learn_own(names, files, found, shown)
        return names

    def library(self, event: dict[str, Any]) -> str:
        """The package whose C library made the call, if no Python code is on the stack. Its caller
        is unknown, because the library runs in a thread of its own or has released the interpreter.
        "" if the library belongs to no package.
        """
        origin = event.get("origin") or {}
        file = str(origin.get("file") or "")
        if origin.get("stack") or not _LIBRARY.search(file):
            return ""
        if "/../" in file:
            bundled = _BUNDLED.search(file)
            if not bundled or not bundled[2].startswith(bundled[1]):
                return ""
        if _installed(file):
            return self.package(file)
        # Bundled with the function, or in a layer. Any package can give its own library such a
        # name.
        places = (*self.folders, *_PLACES, *self._roots)
        name = self.package(file) if file.startswith(places) else ""
        for known in (name, name.removeprefix("_")):  # duckdb/ beside _duckdb.abi3.so
            if _known(known):
                return known
        stem = re.split(r"[-.]", file.rpartition("/")[2])[0]
        return CLIENT_LIBRARIES.get(stem, "") if _LIBRARIES.match(file) else ""

    def native(self, file: str) -> str:
        """The package of a C library in the function's folder; "" if `file` is none."""
        return self.package(file) if _LIBRARY.search(file) and self._is_inside(file) else ""

    def _is_inside(self, file: str) -> bool:
        return bool(_installed(file)) or file.startswith((*self.folders, *_PLACES))

    def note_installed(self, names: Iterable[str]) -> None:
        """Note the packages that the distributions in the function's folder contain."""
        self._installed |= set(names)
        self.own -= self._began & self._installed

    def unsure(self, name: str) -> bool:
        """Whether `name` may be the function's own, but no evidence shows it: it is in the
        function's folder, no event says that it was installed, and no stack shows that the runtime
        calls it.
        """
        return (
            name in self.beside
            and name not in self._installed
            and name not in self.own
            and not _known(name)
        )

    def package(self, file: str) -> str:
        """The package of a file: the first folder or module below the folder of packages."""
        found = self._packages.get(file)
        if found is None:
            if len(self._packages) >= _FILES:
                self._packages.clear()
            found = self._packages[file] = self._package(file)
        return found

    def _package(self, file: str) -> str:
        rest = _installed(file)
        if not rest:
            places = (*self.folders, *_PLACES, *sorted(self._roots, key=len))
            root = next((place for place in places if file.startswith(place)), None)
            if root is None and f"/{_CLIENT}/" in file:
                return _CLIENT
            rest = file[len(root) :] if root else file.rpartition("/")[2]
        if rest.startswith("@"):  # npm's @scope/name
            return "/".join(rest.split("/")[:2])[:_NAME]
        return re.sub(
            r"(\.cpython-[^/]*\.so|\.abi3\.so|\.so|\.pyc?|\.[cm]?[jt]s)\Z",
            "",
            rest.partition("/")[0],
        )[:_NAME]

    def of(self, chain: Chain, own: Iterable[str] = ()) -> Caller:
        """The caller of what `chain` did. `own`: more packages that are the function's own."""
        through: list[str] = []
        mine = {*self.own, *own}
        for at, name in enumerate(chain):
            if name in mine:
                return Caller(name, "own", tuple(through))
            if name in CALLERS and name not in VENDORS:
                outer = chain[at + 1 :]
                if through and name in UTILITIES and not CALLERS.issuperset(outer):
                    through.append(name)
                    continue
                # A tracer replaces a function of a client: more of the client is further out.
                if through and not CARRIERS.isdisjoint(outer):
                    continue
                break
            if name not in CARRIERS:
                return Caller(name, "dependency", tuple(through), _driver(chain, mine))
            if name not in through:  # two packages that call each other alternately
                through.append(name)
        return Caller("", "nobody", tuple(through), _driver(chain, mine))

    def _learn_root(self, file: str, distribution: str) -> None:
        """Learn folders of packages besides the usual ones: those that contain a distribution's
        package.
        """
        names = [distribution, distribution.lower().replace("-", "_").replace(".", "_")]
        at = next((at for name in names if name and (at := file.find(f"/{name}/")) >= 0), -1)
        if at < 0 and distribution and file.endswith(f"/{distribution}.py"):
            at = len(file) - len(distribution) - 4
        if at < 0 or _installed(file):
            return
        root = file[: at + 1]
        if next(reversed(self._roots), None) == root:
            return
        # Sorted, because another order would find other roots.
        self._packages.clear()
        self._roots[root] = None
        self._roots.move_to_end(root)
        if len(self._roots) > _ROOTS:
            self._roots.popitem(last=False)

    def _learn_own(
        self, names: Chain, files: list[tuple[str, str]], found: list[str], shown: int
    ) -> None:
        """Learn which of `names` are the function's own: what the runtime client calls, even
        through an adapter; what a framework calls as an endpoint; the module that a program without
        a runtime client began with; in Node.js, what is in the function's folder outside
        ``node_modules``, because npm installs nothing there.
        """
        if names and names[-1] in RUNTIMES:
            self._called = True
            self.own -= self._began
            self._began.clear()
            self._take(
                next(
                    (
                        name
                        for name in reversed(names)
                        if name not in CALLERS and name not in ADAPTERS
                    ),
                    "",
                )
            )
        elif (
            names
            and shown < SHOWN
            and files
            and files[-1][1] == "<module>"
            and not _installed(files[-1][0])
            and not self._called
            and names[-1] not in self.own
        ):
            self._take(names[-1])
            self._began |= {names[-1]} & self.own
        for at in range(1, len(found)):
            calls = ENDPOINT_CALLS.get(found[at], ())
            if (
                calls
                and found[at - 1] != found[at]
                and any(part in calls for part in files[at][1].split("."))
            ):
                name = found[at - 1]
                if name in self.beside and name not in self._installed:
                    self._take(name)
        for (file, _), name in zip(files, found, strict=False):
            if file.startswith(self.folders) and _SCRIPT.search(file) and not _installed(file):
                self._take(name)

    def _learn_place(self, file: str, name: str) -> None:
        if name in self.beside or len(self.beside) >= _FILES or _installed(file):
            return
        if file.startswith((*self.folders, *self._roots)):
            self.beside.add(name)

    def _note_installed(self, name: str) -> None:
        if len(self._installed) < _FILES:
            self._installed.add(name)

    def _take(self, name: str) -> None:
        if name and not _known(name) and name != "__main__" and len(self.own) < _ROOTS:
            self.own.add(name)


def _driver(chain: Chain, own: set[str]) -> str:
    """See Caller."""
    first = next((name for name in chain if name in own or not familiar(name)), "")
    return "" if first in own else first


def familiar(name: str) -> bool:
    """Whether a table says what the package does, or it is widely used."""
    return _known(name) or name in _TABLES


def _known(name: str) -> bool:
    """Whether it is a widely used package."""
    return name in CALLERS or name in ADAPTERS or name in CARRIERS or name in PACKAGES


def _installed(file: str) -> str:
    """The part of `file` after the folder in which packages are installed; else ""."""
    return next((file.rpartition(place)[2] for place in _INSTALLED if place in file), "")
