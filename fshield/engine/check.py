"""``fshield check``: policies, compiled policies, folders of policies, and functions' packages."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from fshield import programs
from fshield.engine import binary
from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.engine.floor import beside, narrowed
from fshield.errors import CouldNotRun, Finding, Level, PolicyError
from fshield.language import endpoints, variables
from fshield.language.loader import load
from fshield.language.patterns import FORK
from fshield.language.policy import Family, Mode, Policy
from fshield.language.review import findings as review

# Where a Python or Node function finds its modules; /opt/python of a layer built by hand looks the
# same.
_MODULE_FOLDERS = (".", "python", "package", "vendor", "lib")
_FIX = (
    "delete it: in Lambda the function's folder comes before the layer's, and the old copy would be"
    " imported"
)


def check(path: Path, environment: list[str] | None = None) -> list[Finding]:
    """Findings about `path`: a policy, a compiled policy, or a folder of these.

    Args:
        path: what is checked; in a folder, every ``*.yaml``, ``*.yml`` and ``*.policy``.
        environment: the function's variables (``NAME=VALUE``); None: do not check variables in
            names.

    Raises:
        CouldNotRun: it cannot be read.
    """
    if (policies := each_policy(path)) != [path]:
        return [finding for policy in policies for finding in check(policy, environment)]
    if is_compiled(path):
        return check_compiled(path)
    try:
        policy, floor = load(path), beside(path)
        unset = check_variables(policy, environment) if environment is not None else ()
        lost = unguardable_programs(policy)
        return [*review(policy), *unset, *lost, *(narrowed(policy, floor) if floor else ())]
    except PolicyError as error:
        return list(error.findings)


def each_policy(path: Path) -> list[Path]:
    """`path`, or the policies in it if it is a folder. Raises CouldNotRun."""
    return policies_in(path) if stat.S_ISDIR(_mode_of(path)) else [path]


def policies_in(folder: Path) -> list[Path]:
    """The policies of a folder, by name. Raises CouldNotRun if it has none."""
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix in {".yaml", ".yml", ".policy"}
        and (path.is_file() or not path.exists())  # a broken link is a policy that is missing
    )
    if not found:
        raise CouldNotRun(
            f"{folder}: no policy in it (*.yaml, *.yml, *.policy)",
            f"for a function's folder: fshield check --function {folder}",
        )
    return found


def check_package(package: Path, policy: Path | None = None) -> list[Finding]:
    """Findings about a function's package.

    Args:
        package: the function's folder, or its zip.
        policy: the policy that the function will run under; findings then say what they mean under
            it.

    Raises:
        CouldNotRun: it cannot be read.
        PolicyError: the policy is wrong.
    """
    # Capstone takes 40 ms to import.
    from fshield.bundle.inspect import Subject, inspect  # noqa: PLC0415

    subject = Subject(load(policy) if policy else None)
    old = list(check_function(package)) if package.is_dir() else []
    return sorted(
        [*old, *inspect(package, subject)], key=lambda finding: (finding.file, finding.line)
    )


def unguardable_programs(policy: Policy) -> Iterator[Finding]:
    """Findings about entries for programs that never start, because the guard cannot be loaded into
    them.
    """
    if all(setting.mode is not Mode.BLOCK for setting in policy.modes.values()):
        return  # under `alert` they do start, and are reported
    for entry in policy.allows:
        path = entry.pattern
        if entry.family is not Family.PROCESS or path is None or path == FORK:
            continue
        if "*" in path or "?" in path:
            continue
        found = programs.unguardable(path)
        if found is None:
            continue
        home = entry.home(policy)
        message = f"{path} does not start: the guard cannot be loaded into it ({found.why})"
        fix = f"take this entry out; instead: {found.instead}"
        if not found.sure:
            message = (
                f"{path} may not start: the guard cannot be loaded into a static one ({found.why})"
            )
            fix = f"look at the file that the function has; instead: {found.instead}"
        level: Level = "warning" if found.sure else "note"
        yield home.finding(level, home.find(entry.location), message, fix=fix)


def check_variables(policy: Policy, environment: list[str]) -> Iterator[Finding]:
    """Findings about entries with variables in their names that `environment` leaves unset, or sets
    to a value that cannot be part of a name.
    """
    values = dict(native.facts_of("us-east-1", environment).variables)
    compiled = native.Compiled(compile_policy(policy))
    for entry in policy.allows:
        home = entry.home(policy)
        for name in dict.fromkeys(
            name for host in entry.hosts for name in variables.named(host.key)
        ):
            fits = name in values and all(
                compiled.fits(kind, values[name])
                for one, kind in compiled.variables()
                if one == name
            )
            if not fits:
                problem = "cannot stand in a name" if name in values else "is not set"
                message = f"{name} {problem}: whatever needs it never matches"
                yield home.finding(
                    "warning", home.find(entry.location), message, fix=f"--env {name}=VALUE"
                )


def _mode_of(path: Path) -> int:
    """The file mode of `path`. Raises CouldNotRun if there is no such file."""
    try:
        return path.stat().st_mode
    except OSError as error:
        raise CouldNotRun(
            f"{path}: {error.strerror}", "name a policy, or a folder of policies, that exists"
        ) from error
    except ValueError as error:  # a NUL in the name
        raise CouldNotRun(f"{path}: {error}") from error


def is_compiled(path: Path) -> bool:
    """Returns true if `path` is a compiled policy, by its content or its suffix. Raises
    CouldNotRun."""
    if not stat.S_ISREG(_mode_of(path)):
        return False
    if path.suffix == ".policy":
        return True
    try:
        with path.open("rb") as stream:
            return stream.read(len(binary.MAGIC)) == binary.MAGIC
    except OSError:
        return False


def check_compiled(path: Path) -> list[Finding]:
    """What the engine says about a compiled policy. Raises CouldNotRun."""
    try:
        compiled = native.Compiled(native.read_compiled(path))
    except ValueError as error:
        return [
            Finding(
                "error",
                str(path),
                1,
                1,
                f"the engine refuses this policy: {error}",
                fix="compile it again",
            )
        ]
    today = datetime.now(timezone.utc).date()
    message = endpoints.too_old(compiled.endpoints, today) if compiled.endpoints else None
    return (
        [Finding("warning", str(path), 1, 1, message, fix=endpoints.TOO_OLD_FIX)] if message else []
    )


def check_function(folder: Path) -> Iterator[Finding]:
    """Old copies of FunctionShield in a function's folder, installed or required."""
    for path in _old_copies(folder):
        yield Finding(
            "warning",
            str(path),
            1,
            1,
            "an old copy of FunctionShield is in the function's folder",
            fix=_FIX,
        )
    for path in (
        *sorted(folder.glob("requirements*.txt")),
        folder / "pyproject.toml",
        folder / "Pipfile",
    ):
        yield from _asked_for(path, re.compile(r"^\s*[\"']?function[-_]shield\b", re.IGNORECASE))
    package = folder / "package.json"
    if package.is_file() and "@puresec/function-shield" in _node_dependencies(package):
        yield from _asked_for(package, re.compile(r"\"@puresec/function-shield\""))


def _old_copies(folder: Path) -> Iterator[Path]:
    for name in _MODULE_FOLDERS:
        base = folder / name
        patterns = (
            "function_shield",
            "function_shield.py",
            "function_shield.*so",
            "function_shield-*.dist-info",
        )
        for pattern in (*patterns, "lib/python3.*/site-packages/function_shield"):
            yield from sorted(path for path in base.glob(pattern) if path.exists())
    node = folder / "node_modules" / "@puresec" / "function-shield"
    if node.is_dir():
        yield node


def _asked_for(path: Path, pattern: re.Pattern[str]) -> Iterator[Finding]:
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        found = pattern.search(line)
        if found:
            message = "this installs the old FunctionShield into the function's folder"
            fix = "take it out: the layer brings function_shield"
            yield Finding(
                "warning", str(path), number, found.start() + 1, message, fix=fix, excerpt=line
            )


def _node_dependencies(package: Path) -> set[str]:
    try:
        content = json.loads(package.read_text("utf-8", "replace"))
    except ValueError:
        return set()
    if not isinstance(content, dict):
        return set()
    groups = [
        content.get(name) for name in ("dependencies", "devDependencies", "optionalDependencies")
    ]
    return {name for group in groups if isinstance(group, dict) for name in group}
