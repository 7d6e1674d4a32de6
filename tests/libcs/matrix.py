"""Tests every door under C libraries that lack functions: ``python -m tests.libcs.matrix [NAME…]``.

Runs ``calls.c`` under ``strict`` with copies of this machine's libc in which functions are hidden
(``hiding.py``): once each door's own function, and once all functions newer than a version of
glibc. It also runs with the whole libcs of older Debian releases. A call, by symbol or by system
call number, must be refused as with this machine's libc. If libc lacks the function, the call may
fail with ENOSYS, but only after it was judged.
"""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests import support
from tests.census.census import SYSCALLS
from tests.libcs.hiding import Libc, Version, parse
from tests.libcs.rows import CALLS, NUMBERS

HERE = Path(__file__).resolve().parent
BUILD = support.ROOT / "build" / "libcs"
TABLE = support.core_file("doors.table")
LEVELS = ["2.17", "2.26", "2.28", "2.31", "2.34", "2.36", "2.39"]
# The launcher and a program cannot start without these.
NEEDED = {"__libc_start_main"}
Answers = dict[tuple[str, str], tuple[str, int]]  # by name, and "symbol" or "number"


@dataclass(frozen=True)
class Place:
    """The files that the calls are about."""

    file: str
    new: str
    folder: str
    link: str
    own: str

    def left(self) -> list[str]:
        """The files that were made or changed."""
        folder = Path(self.folder)
        made = [str(path) for path in Path(self.new).parent.glob(f"{Path(self.new).name}*")]
        whole = Path(self.file).read_text() == "secret" if Path(self.file).exists() else False
        return made + ([] if whole else [self.file]) + ([] if folder.is_dir() else [self.folder])


@contextmanager
def place() -> Iterator[Place]:
    """Make files and folders below /tmp."""
    with tempfile.TemporaryDirectory(prefix="function-shield-libcs-", dir="/tmp") as root:
        base = Path(root)
        (base / "file").write_text("secret")
        (base / "folder").mkdir()
        (base / "link").symlink_to("file")
        own = BUILD / "own"
        own.write_text("own")
        yield Place(
            str(base / "file"),
            str(base / "new"),
            str(base / "folder"),
            str(base / "link"),
            str(own),
        )


def numbers() -> dict[str, int]:
    """The numbers of system calls on this machine."""
    column = 1 if os.uname().machine == "x86_64" else 2
    rows = [
        line.split("\t") for line in SYSCALLS.read_text().splitlines() if not line.startswith("#")
    ]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def doors() -> list[str]:
    """The doors that have their own code."""
    rows = [
        [cell.strip() for cell in line.split("|")]
        for line in TABLE.read_text().splitlines()
        if "|" in line
    ]
    return [row[0] for row in rows if not row[0].startswith("#") and row[3] == "-"]


def lines(where: Place) -> str:
    """The input for calls.c."""
    known = numbers()
    out = []
    for name, (result, *arguments) in CALLS.items():
        row = "\t".join([result, *arguments]).format(**vars(where))
        out.append(f"symbol\t{name}\t0\t{row}")
    for name, (result, *arguments) in {**CALLS, **NUMBERS}.items():
        if name in known:
            row = "\t".join([result, *arguments]).format(**vars(where))
            out.append(f"number\t{name}\t{known[name]}\t{row}")
    return "\n".join(out) + "\n"


def program() -> Path:
    """Compile calls.c for the oldest libc."""
    BUILD.mkdir(parents=True, exist_ok=True)
    out = BUILD / "calls"
    machine = "x86_64" if os.uname().machine == "x86_64" else "aarch64"
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        f"{machine}-linux-gnu.2.17",
        "-O1",
        "-ldl",
    ]
    subprocess.run([*command, str(HERE / "calls.c"), "-o", str(out)], check=True)
    return out


def libc_path() -> Path:
    """This machine's libc."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith("/libc.so.6"):
            return Path(line.split(maxsplit=5)[5])
    raise SystemExit("tests/libcs/matrix.py: this Python is not linked with glibc's libc.so.6")


def real_libcs() -> list[tuple[str, Path]]:
    """The libcs of older Debian releases, if ``tests/census/fetch.sh`` has fetched them."""
    machine = "amd64" if os.uname().machine == "x86_64" else "arm64"
    return [(path.name, path) for path in sorted((support.CACHE / "census").glob(f"*-{machine}"))]


def enter(root: Path) -> list[str]:
    """The command prefix for a mount namespace with this libc, and with this machine's programs,
    build and /tmp."""
    copy = BUILD / "roots" / root.name
    if not copy.exists():
        shutil.copytree(root, copy, symlinks=True)
    shared = [
        "/proc",
        "/dev",
        "/tmp",
        "/usr/bin",
        "/bin",
        "/etc",
        str(support.ROOT / "build"),
        str(support.LAYER),
    ]
    steps = ["set -e"]
    for folder in dict.fromkeys(shared):
        inside = copy / folder.lstrip("/")
        if not inside.is_symlink():
            inside.mkdir(parents=True, exist_ok=True)
            steps.append(f"mount --rbind {shlex.quote(folder)} {shlex.quote(str(inside))}")
    steps.append(f"cd {shlex.quote(str(copy))}")
    steps.append(f'exec chroot {shlex.quote(str(copy))} "$@"')
    return [
        "unshare",
        *([] if os.geteuid() == 0 else ["-r"]),
        "-m",
        "sh",
        "-c",
        "\n".join(steps),
        "sh",
    ]


def can_enter() -> bool:
    """Whether this user can make a mount namespace."""
    rights = [] if os.geteuid() == 0 else ["-r"]
    done = subprocess.run(
        ["unshare", *rights, "-m", "mount", "--bind", "/", "/mnt"], capture_output=True, check=False
    )
    return done.returncode == 0


@dataclass
class Run:
    """The results of one process."""

    status: int
    answers: Answers
    error: str


def run(calls: Path, libc: bytes | None, text: str, before: Sequence[str] = ()) -> Run:
    """Make the calls under ``strict``, with this libc, or inside the namespace that ``before``
    enters."""
    environment = support.clean_environment({"FUNCTION_SHIELD_POLICY": "strict"})
    folder = BUILD / "lib"
    if libc is not None:
        folder.mkdir(exist_ok=True)
        support.replace(folder / "libc.so.6", libc)
        environment["LD_LIBRARY_PATH"] = str(folder)
    core = support.LAYER / "function-shield.d" / "function-shield.so"
    command = [*before, str(support.LAUNCHER), str(calls), str(core)]
    done = subprocess.run(
        command,
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=BUILD,
    )
    answers: Answers = {}
    for line in done.stdout.splitlines():
        cells = line.split("\t")
        if len(cells) == 4:
            answers[cells[0], cells[1]] = (cells[2], int(cells[3]))
    return Run(done.returncode, answers, done.stderr[-600:])


REFUSED = {errno.EACCES, errno.EPERM}


def faults(name: str, found: Run, whole: Run) -> list[str]:
    """The differences between a run and the one with the whole libc. A function that is missing may
    fail with ENOSYS."""
    if not found.answers:
        return [f"{name}: exit status {found.status}: {found.error}"]
    out = []
    for key, expected in whole.answers.items():
        answer = found.answers.get(key)
        if answer is None:
            out.append(f"{name}: {key[0]} by {key[1]}: the program ended ({found.status})")
            break
        if answer != expected and not (
            answer[0] in ("failed", "absent") and answer[1] in (errno.ENOSYS, *REFUSED)
        ):
            out.append(f"{name}: {key[0]} by {key[1]}: {answer[0]}, {os.strerror(answer[1])}")
    return out


def check(chosen: list[str] | None = None) -> tuple[int, list[str]]:
    """Run all. Returns the number of libcs, and what went wrong."""
    calls, libc, out, count = program(), Libc(libc_path()), [], 0
    with place() as where:
        text = lines(where)
        whole = run(calls, None, text)
        for key, answer in whole.answers.items():
            if answer[0] != "absent" and not (answer[0] == "failed" and answer[1] in REFUSED):
                out.append(
                    f"whole libc: {key[0]} by {key[1]}: {answer[0]}, {os.strerror(answer[1])}"
                )
        if len(whole.answers) != text.count("\n"):
            out.append(
                f"whole libc: {len(whole.answers)} answers to {text.count(chr(10))} calls:"
                f" {whole.error}"
            )
        newest: Version = libc.newest()
        variants: list[tuple[str, bytes | None]] = []
        variants += [(level, libc.as_of(parse(level))) for level in LEVELS if parse(level) < newest]
        variants += [
            (name, None) for name in doors() if name in libc.symbols and name not in NEEDED
        ]
        for name, copy in variants:
            if chosen and name not in chosen:
                continue
            out += faults(
                name, run(calls, libc.without({name}) if copy is None else copy, text), whole
            )
            count += 1
            if left := where.left():
                return count, [*out, f"{name}: changed: {left}"]
        for name, root in real_libcs() if can_enter() else []:
            if chosen and name not in chosen:
                continue
            out += faults(name, run(calls, None, text, enter(root)), whole)
            count += 1
            if left := where.left():
                return count, [*out, f"{name}: changed: {left}"]
    return count, out


if __name__ == "__main__":
    checked, wrong = check(sys.argv[1:] or None)
    print(f"{checked} C libraries, {len(wrong)} faults")
    print("\n".join(wrong[:60]))
    sys.exit(1 if wrong else 0)
