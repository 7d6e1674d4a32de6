"""What the distributions in a function's package require, and which of them its own code imports.

An event shows at most eight frames, and none of the stack that started a thread. The packages that
are missing there are, most likely, what the function's own code imports and what leads from there
to a package that was shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from fshield.evidence.known import DISTRIBUTIONS
from fshield.language.callers import plain

#: Lambda's runtime has boto3, and a package with its own metadata of it is the exception.
_RUNTIME = {
    "boto3": frozenset({"botocore", "jmespath", "s3transfer"}),
    "botocore": frozenset({"jmespath", "python-dateutil", "urllib3"}),
    "s3transfer": frozenset({"botocore"}),
}
_REQUIRES = re.compile(
    r"^Requires-Dist:[ \t]*([A-Za-z0-9][A-Za-z0-9._-]*)[ \t]*(?:\[([^\]\n]*)\])?([^\n]*)$", re.M
)
_EXTRA = re.compile(r"\bextra\s*==\s*['\"]([A-Za-z0-9._-]+)['\"]")
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([A-Za-z_]\w*)|import[ \t]+([^\n#;(]+))", re.M)
# What makes a task or gives work to a pool: the code then runs where no stack shows its maker.
_TASKS = re.compile(
    r"\b(?:gather|create_task|ensure_future|TaskGroup|as_completed|run_in_executor|to_thread"
    r"|start_soon|create_task_group|ThreadPoolExecutor|BackgroundTasks?|call_soon\w*)\b"
)
_HEADERS = 1 << 16
_SHARED = 4


@dataclass(frozen=True)
class Requirements:
    """Args:
    owners: the distributions that have files in each top-level package.
    imported: the top-level packages that the function's own code imports, the standard library's
        too.
    tasks: the function's own code makes tasks of asyncio, or gives work to threads.
    direct: for each distribution, and each with an extra (`name[extra]`), what it requires.
    """

    owners: Mapping[str, frozenset[str]] = field(default_factory=dict)
    imported: frozenset[str] = frozenset()
    direct: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tasks: bool = False

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """The distributions that the function's own code imports."""
        names = {one for name in self.imported for one in self.names(name)}
        return tuple(sorted(names | ({"boto3"} & self.imported)))

    def names(self, package: str) -> frozenset[str]:
        """The distributions of a top-level package. Of several, the one that has its name; else,
        as in `opentelemetry`, those that the others do not require; none if these are many.
        """
        every = self.owners.get(package, frozenset())
        # Any distribution can list files of another's package.
        if named := every & {plain(package), DISTRIBUTIONS.get(package, "")}:
            return named
        if len(every) > 1:
            every -= {one for name in every for one in self.of(name)}
        return every if len(every) <= _SHARED else frozenset()

    @cached_property
    def _reached(self) -> dict[str, frozenset[str]]:
        return {}

    def of(self, name: str) -> frozenset[str]:
        """All that a distribution requires, directly or not. Not itself."""
        if name not in self._reached:
            found: set[str] = set()
            rest = [name]
            while rest:
                one = rest.pop()
                new = (self.direct.get(one) or _RUNTIME.get(one) or frozenset()) - found
                found |= new
                rest += new
            names = frozenset(one.partition("[")[0] for one in found) - {name}
            self._reached[name] = names
        return self._reached[name]


def required(metadata: str) -> dict[str, frozenset[str]]:
    """What METADATA says that a distribution requires, by extra: "" for what it always requires."""
    found: dict[str, set[str]] = {}
    headers = metadata.partition("\n\n")[0][:_HEADERS]
    for name, extras, rest in _REQUIRES.findall(headers):
        marker = rest.partition(";")[2]
        wanted = [plain(extra) for extra in _EXTRA.findall(marker)] or [""]
        names = {plain(name), *(f"{plain(name)}[{plain(e)}]" for e in _words(extras))}
        for extra in wanted:
            found.setdefault(extra, set()).update(names)
    return {extra: frozenset(names) for extra, names in found.items()}


def imports(text: str) -> set[str]:
    """The top-level packages that Python code imports, anywhere in it."""
    found = set()
    for source, names in _IMPORT.findall(text):
        found |= {source} if source else {each.split(".")[0] for each in _words(names)}
    return {name for name in found if name.isidentifier()}


def makes_tasks(text: str) -> bool:
    """Whether Python code makes tasks, or gives work to a pool of threads."""
    return bool(_TASKS.search(text))


def requirements(
    metadata: Iterable[tuple[str, str]],
    owners: Mapping[str, set[str]],
    imported: Iterable[str],
    *,
    tasks: bool,
) -> Requirements:
    """Args:
    metadata: the name and the METADATA of each distribution.
    owners: for each top-level package, the distributions that list it.
    imported: by the function's own code.
    tasks: it makes some.
    """
    direct: dict[str, frozenset[str]] = {}
    for name, text in metadata:
        for extra, names in required(text).items():
            direct[f"{plain(name)}[{extra}]" if extra else plain(name)] = names
    plainly = {package: frozenset(map(plain, names)) for package, names in owners.items()}
    return Requirements(plainly, frozenset(imported), direct, tasks)


def _words(text: str) -> list[str]:
    return [each.split()[0] for each in text.split(",") if each.strip()]
