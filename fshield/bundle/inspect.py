"""``fshield check --function``: finds code in a function's package that the rings cannot control,
before it runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fshield.bundle import addresses, elf
from fshield.bundle.contents import PackedFile, files
from fshield.bundle.machine_code import Calls
from fshield.bundle.metadata import Distributions
from fshield.errors import Finding
from fshield.language.policy import Family, Mode, Policy

# Rules whose acts the libc ring sees, in the order of README.
_RULES = (
    "outbound_connectivity",
    "read_write_tmp",
    "create_child_process",
    "native_code",
    "guard_integrity",
)
_NO_LIBC = (
    "the libc ring does not see these calls: a policy that relies on it does not hold this library;"
    " leave it out, or bound the function from outside (VPC, security group, IAM)"
)
_ADDRESS = (
    "code in the package that uses it reaches all the memory of the process; leave it out where"
    " the function does not need it"
)
_FAMILIES = {
    "outbound_connectivity": Family.OUTBOUND,
    "read_write_tmp": Family.TMP,
    "create_child_process": Family.PROCESS,
    "native_code": Family.NATIVE,
}


@dataclass(frozen=True)
class Subject:
    """What the findings refer to.

    Args:
        policy: the policy that the function will run under; None for any.
    """

    policy: Policy | None = None

    def mode(self, rule: str) -> Mode:
        """The rule's mode under the policy. ALLOW if there is no policy, or no such rule."""
        family = _FAMILIES.get(rule)
        if self.policy is None or family is None or family not in self.policy.modes:
            return Mode.ALLOW
        return self.policy.modes[family].mode


def inspect(package: Path, subject: Subject) -> Iterator[Finding]:
    """Findings about ``package``: about each file, sorted by name, and about its distributions.

    Raises:
        CouldNotRun: it cannot be read.
    """
    reported: set[tuple[str, str]] = set()
    distributions = Distributions()
    for file in files(package):
        yield from distributions.take(file)
        for finding in _inspect_file(file, subject):
            # Report only the first of many modules of one package.
            key = (addresses.module_of(file.name).split("/")[0], finding.message)
            if finding.fix != _ADDRESS or key not in reported:
                reported.add(key)
                yield finding
    yield from distributions.brought()
    if subject.policy is not None:
        yield from distributions.missing(subject.policy)


def _inspect_file(file: PackedFile, subject: Subject) -> Iterator[Finding]:
    suffix = file.name.suffix
    if file.head(4) == elf.MAGIC:
        data = file.read()
        binary = elf.read(data)
        if binary is None:
            yield _note(file, "an ELF file that cannot be read", "rebuild it, or leave it out")
        elif binary.program:
            yield from _program(file, binary)
        else:
            yield from _library(file, binary, subject)
            yield from _takers(file, data, subject)
    elif suffix == ".pth" and _in_path_folder(file.name):
        yield from _path_file(file)
    elif suffix == ".map":
        yield from _source_map(file)


def _library(file: PackedFile, binary: elf.Binary, subject: Subject) -> Iterator[Finding]:
    if binary.go:
        meaning = _meaning(set(_RULES), subject)
        if subject.policy and subject.mode("native_code") is Mode.BLOCK:
            meaning = (
                f"; policy {subject.policy.name} refuses it as an extension module of Python or"
                " Node, and does not see what it does where other code calls it"
            )
        yield _note(
            file,
            f"a Go library: the Go runtime makes every system call itself{meaning}",
            _NO_LIBC,
        )
    elif binary.calls is not None:
        yield from _own_calls(file, binary.calls, subject)
    if binary.fts3:
        yield _note(
            file,
            "carries an SQLite of its own with FTS3: fts3_tokenizer() and load_extension() call an"
            " address",
            "native_code: block holds what passes through libc; prefer the runtime's own sqlite3",
        )


def _takers(file: PackedFile, data: bytes, subject: Subject) -> Iterator[Finding]:
    for taker in addresses.takers(file.name, data):
        if taker.refused:
            meaning = "native_code: block refuses its import"
        else:
            meaning = "the rings do not see it"
            if subject.policy and subject.mode("native_code") is Mode.BLOCK:
                meaning = (
                    f"policy {subject.policy.name} says block for native_code, and does not see it"
                )
        yield _note(file, f"takes an address from code: {taker.calls}; {meaning}", _ADDRESS)


def _own_calls(file: PackedFile, calls: Calls, subject: Subject) -> Iterator[Finding]:
    rules: dict[str, set[str]] = {}
    for call in calls.named:
        rules.setdefault(call.rule, set()).add(call.name)
    # write() and close() matter only together with a call that opens something.
    judged = {rule: names for rule, names in rules.items() if rule in _RULES}
    if (
        "native_code" in judged
        and len(judged) == 1
        and not judged["native_code"] & {"memfd_create", "userfaultfd"}
    ):
        # Allocators map memory themselves. The rings do not judge anonymous memory either.
        judged = {}
    if judged:
        names = sorted(set().union(*judged.values()))
        yield _note(
            file,
            f"makes system calls without libc: {', '.join(names)}{_meaning(set(judged), subject)}",
            _NO_LIBC,
        )
    elif calls.unread and not rules:
        yield _note(
            file,
            f"makes {calls.unread} system calls without libc whose numbers are computed: they can"
            " be any",
            _NO_LIBC,
        )


def _meaning(rules: set[str], subject: Subject) -> str:
    """What that means under the policy, or ""."""
    if subject.policy is None:
        return f" ({', '.join(rule for rule in _RULES if rule in rules)})"
    blocked = [rule for rule in _RULES if rule in rules and subject.mode(rule) is Mode.BLOCK]
    if blocked:
        return (
            f"; policy {subject.policy.name} says block for {', '.join(blocked)}, and cannot hold"
            " it here"
        )
    return f"; policy {subject.policy.name} blocks none of it"


def _program(file: PackedFile, binary: elf.Binary) -> Iterator[Finding]:
    if binary.loader is None:
        yield _note(
            file,
            "a static program: the core cannot be loaded into it, and an allow entry does not"
            " start it",
            "use a dynamically linked build",
        )
    elif binary.loader not in elf.LOADERS:
        yield _note(
            file,
            f"a program with another loader ({binary.loader}): the core cannot be loaded into it",
            "use a build for glibc",
        )
    elif binary.go:
        yield _note(
            file,
            "a Go program: the Go runtime makes every system call itself; started, it passes the"
            " libc ring",
            _NO_LIBC,
        )
    elif binary.calls is not None:
        yield from _own_calls(file, binary.calls, Subject())


def _in_path_folder(name: PurePosixPath) -> bool:
    """Python reads ``.pth`` files there: the task root, a layer's python folders, any
    site-packages."""
    folder = name.parent.as_posix()
    return folder in {".", "python"} or folder.endswith("site-packages")


def _path_file(file: PackedFile) -> Iterator[Finding]:
    for number, line in enumerate(file.read().decode("utf-8", "replace").splitlines(), 1):
        if re.match(r"import[ \t]", line):
            yield Finding(
                "note",
                file.place,
                number,
                1,
                "a .pth file that runs code at every start of Python, before the handler is"
                " imported",
                fix="read the line; rules hold for it, and its events name no package",
                excerpt=line[:200],
            )


def _source_map(file: PackedFile) -> Iterator[Finding]:
    if "node_modules/" in file.place:
        return  # a package's own source, which is public in its registry
    try:
        content = json.loads(file.read())
    except (ValueError, RecursionError):
        return
    if isinstance(content, dict) and any(
        isinstance(text, str) and text for text in content.get("sourcesContent") or []
    ):
        yield _note(
            file,
            "a source map that holds the source: read_handler seals the handler's file only",
            "leave source maps out of the package, or name them: read_handler: {also: [PATTERN]}",
        )


def _note(file: PackedFile, message: str, fix: str) -> Finding:
    return Finding("note", file.place, 1, 1, message, fix=fix)
