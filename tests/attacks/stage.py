"""The world that one run of one attack happens in: what there is to steal, and a look at it afterwards."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import support
from tests.attacks.corpus import HERE, Attack
from tests.attacks.sinks import Sinks

LIB = HERE / "lib"
SCRATCH = support.SCRATCH / "attacks"
# A package is older than the process that it runs in; the kernel keeps the time of files and of processes in ticks.
SETTLE_S = 0.05
# Attacks on what a child inherits must not find these set by whoever runs the tests.
DROPPED = ("LOCALDOMAIN", "RES_OPTIONS", "HOSTALIASES", "NODE_OPTIONS", "AWS_EXECUTION_ENV", "TMPDIR")


@dataclass
class Look:
    """What one run left, before anybody judges it."""

    returncode: int
    timed_out: bool
    stdout: str
    stderr: str
    events: list[support.Event]
    seen: bool
    damage: list[str] = field(default_factory=list)

    @property
    def claims(self) -> bool:
        return any(line == "REACHED" for line in self.stdout.splitlines())

    @property
    def named(self) -> set[str]:
        return {event["policy"] for event in self.events if event["event"] == "violation"}

    def rings(self, rules: tuple[str, ...]) -> set[str]:
        return {event["ring"] for event in self.events if event["event"] == "violation" and event["policy"] in rules}


# -- programs that are built --


@functools.cache
def compiler() -> tuple[str, ...]:
    """The C compiler of this machine, or zig's."""
    for name in ("cc", "gcc", "clang"):
        found = shutil.which(name)
        if found:
            return (found,)
    return (sys.executable, "-m", "ziglang", "cc")


def build(source: Path, *options: str) -> Path:
    """The program or library that ``source`` makes, outside /tmp, kept until the source changes."""
    shared = b"".join((LIB / name).read_bytes() for name in ("attack.h", "allowed.h", "raw.c"))
    text = source.read_bytes() + shared + repr((compiler(), options)).encode()
    out = SCRATCH / "built" / f"{source.stem}-{hashlib.sha256(text).hexdigest()[:16]}"
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = out.with_name(f"{out.name}.{os.getpid()}.{secrets.token_hex(4)}")
        command = [*compiler(), "-O1", "-w", "-pthread", f"-I{LIB}", str(source), "-o", str(partial), *options, "-ldl"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "TMPDIR": str(out.parent)}
        )
        if done.returncode != 0:
            raise RuntimeError(f"{source.name} does not compile:\n{done.stderr}")
        partial.replace(out)
    return out


# -- what there is to steal --


def zone_file(abbreviation: str) -> bytes:
    """A TZif file of one type, whose abbreviation is text that ``time.tzname`` shows."""
    name = abbreviation.encode() + b"\0"
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, len(name))
    return b"TZif" + b"\0" * 16 + counts + struct.pack(">lBB", 3600, 0, 0) + name


def terminal_file() -> bytes:
    """A compiled terminfo entry whose terminal is 4321 columns wide."""
    names = b"loot|a terminal\0"
    return struct.pack("<6h", 0o432, len(names), 0, 1, 0, 0) + names + struct.pack("<h", 4321)


def catalogue_file(message: str) -> bytes:
    """A message catalogue as catopen reads it, with one message: number 1 of set 1."""
    entry = struct.pack("=3I", 2, 1, 0)
    return struct.pack("=3I", 0x960408DE, 1, 1) + entry + entry + message.encode() + b"\0"


HANDLER_PY = '''"""A function."""
# The recipe: {text}
RECIPE = "{text}"
{early}

def handler(event, context):
    {late}
    return {{"ok": RECIPE is not None}}


def explode():
    raise ValueError("told so")  # {text}
'''
HANDLER_JS = """// The recipe: {text}
{early}
exports.handler = async function handler(event) {{
    {late}
    return {{ ok: true }}; // {text}
}};
"""


class Stage:
    """One run's folders, sinks and environment. A context manager: everything is gone after it."""

    def __init__(self, attack: Attack, python: Path) -> None:
        self.attack, self.python = attack, python
        token = secrets.token_hex(6)
        self.secret, self.proof = f"secret{token}", f"proof{secrets.token_hex(8)}"
        self.folder = SCRATCH / f"run-{token}"
        self.tmp = Path(f"/tmp/fs-attack-{token}")
        self.new = Path(f"/tmp/fs-attack-{token}-new")
        self.mark = self.folder / "mark"
        self.task = self.folder / "task"
        self.handler_path = self.task / "main.py"
        self.namespace = "resolver" in attack.needs or "namespace" in attack.needs
        self.sinks: Sinks | None = None
        self.held = -1

    def __enter__(self) -> Stage:
        self.folder.mkdir(parents=True)
        self.tmp.mkdir()
        text = f"{self.secret} {self.proof}"
        target = self.tmp / "file"
        target.write_text(text + "\n")
        (self.tmp / "link").symlink_to(text)
        (self.tmp / f"name {text}").touch()
        (self.tmp / "empty").mkdir()
        (self.tmp / "stolen_module.py").write_text(f'LOOT = "{text}"\n')
        (self.tmp / "zone").write_bytes(zone_file(self.secret + self.proof))
        (self.tmp / "catalogue").write_bytes(catalogue_file(text))
        (self.tmp / "terminfo" / "l").mkdir(parents=True)
        (self.tmp / "terminfo" / "l" / "loot").write_bytes(terminal_file())
        if "gcc" in self.attack.needs:
            shutil.copy(build(LIB / "raw.c", "-shared", "-fPIC"), self.tmp / "library.so")
        with contextlib.suppress(OSError):
            os.setxattr(target, "user.loot", text.encode())
        self._put_program(text)
        self.before = self._state()
        self.held = os.open(target, os.O_RDONLY)
        if not self.namespace:
            self.sinks = Sinks()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.held)
        for path in self.tmp.parent.glob(self.new.name + "*"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        shutil.rmtree(self.tmp, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _put_program(self, text: str) -> None:
        attack = self.attack
        place = self.folder if attack.when == "alone" else self.task
        place.mkdir(exist_ok=True)
        if attack.language == "c":
            return
        name = f"the_{attack.path.name}" if attack.when == "alone" else f"dependency.{attack.language}"
        shutil.copy(attack.path, place / name)
        shutil.copy(LIB / f"attack.{attack.language}", place)
        if "gcc" in attack.needs:
            shutil.copy(build(LIB / "extension.c", "-shared", "-fPIC"), place / "extension.so")
            time.sleep(SETTLE_S)
        self.program = place / name
        if attack.when == "alone":
            return
        if attack.language == "py":
            self._put_python_function(text)
        else:
            self.handler_path = self.task / "main.js"
            load = 'require("./dependency.js");'
            early, late = (load, "") if attack.when == "import" else ("", load)
            self.handler_path.write_text(HANDLER_JS.format(text=text, early=early, late=late))

    def _put_python_function(self, text: str) -> None:
        form, when = self.attack.handler, self.attack.when
        early, late = {
            "import": ("import dependency", "pass"),
            "call": ("", "import dependency"),
            "pth": ("", "pass"),
        }[when]
        if when == "pth":
            (self.task / "early.pth").write_text("import dependency\n")
        source = HANDLER_PY.format(text=text, early=early, late=late)
        if form == "zip":
            self.handler_path = self.task / "bundle.zip"
            with zipfile.ZipFile(self.handler_path, "w") as archive:
                archive.writestr("main.py", source)
            return
        if form == "package":
            self.handler_path = self.task / "app" / "main.py"
            self.handler_path.parent.mkdir()
            (self.handler_path.parent / "__init__.py").touch()
        self.handler_path.write_text(source)
        if form == "compiled":
            # By the interpreter that will run it: its format is that version's own.
            code = "import py_compile, sys; py_compile.compile(sys.argv[1], doraise=True)"
            subprocess.run([self.python, "-c", code, self.handler_path], check=True)

    # -- one run --

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        kept = {key: value for key, value in support.clean_environment().items() if key not in DROPPED}
        built = {}
        if "gcc" in self.attack.needs and self.attack.language != "c":
            built = {
                "ATTACK_LIBRARY": str(build(LIB / "raw.c", "-shared", "-fPIC")),
                "ATTACK_PLAIN": str(build(LIB / "plain.c", "-shared", "-fPIC")),
                "ATTACK_STATIC": str(build(LIB / "static.c", "-static")),
            }
        handler = {}
        if self.attack.when != "alone":
            module = "app/main" if self.attack.handler == "package" else "main"
            handler = {
                "LAMBDA_TASK_ROOT": str(self.task),
                "_HANDLER": f"{module}.handler",
                "ATTACK_HANDLER": str(self.handler_path),
            }
        return {
            **kept,
            **(self.sinks.environment() if self.sinks else {}),
            "ATTACK_SECRET": self.secret,
            "ATTACK_FILE": str(self.tmp / "file"),
            "ATTACK_DIR": str(self.tmp),
            "ATTACK_LINK": str(self.tmp / "link"),
            "ATTACK_NEW": str(self.new),
            "ATTACK_MARK": str(self.mark),
            "ATTACK_HELD": f"{os.getpid()}:{self.held}",
            "ATTACK_LIB": str(LIB),
            **built,
            **handler,
            **extra,
        }

    def command(self) -> list[str]:
        attack = self.attack
        if attack.language == "c":
            static = "static" in attack.needs
            return [str(build(attack.path, *(["-static"] if static else [])))]
        runner = str(self.python) if attack.language == "py" else str(shutil.which("node"))
        if attack.when == "alone":
            return [runner, str(self.program)]
        return [runner, str(LIB / f"bootstrap.{attack.language}")]

    def run(self, launcher: Path | Sequence[str] | None, extra: Mapping[str, str]) -> Look:
        """Run the attack, bare where ``launcher`` is None; several words are a command that ends with the launcher."""
        before = [] if launcher is None else [str(launcher)] if isinstance(launcher, Path) else list(launcher)
        command = [*before, *self.command()]
        log = self.folder / "seen.json"
        if self.namespace:
            resolv = self.folder / "resolv.conf"
            inside = [sys.executable, "-I", str(HERE / "inside.py"), str(log), str(resolv), "--"]
            command = ["unshare", "-rnm", *inside, *command]
        cwd = self.folder if self.attack.when == "alone" else self.task
        process = subprocess.Popen(
            command,
            env=self.environment(extra),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        timed_out = False
        try:
            stdout, stderr = process.communicate(timeout=self.attack.timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            self._end(process)
            stdout, stderr = process.communicate()
        self._end(process)
        seen = self.sinks.close() if self.sinks else {}
        if self.namespace and log.exists():
            seen = json.loads(log.read_text())
        stderr, events, damage = read_events(stderr)
        return Look(process.returncode, timed_out, stdout, stderr, events, self._saw(seen, stdout), damage)

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        """End the run's own session: daemons that it left in there included."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    # -- what the runner sees itself --

    def _state(self) -> list[tuple[object, ...]]:
        state: list[tuple[object, ...]] = []
        for path in sorted([self.tmp, *self.tmp.rglob("*")]):
            status = path.lstat()
            attributes = os.listxattr(path, follow_symlinks=False)
            state.append(
                (
                    str(path),
                    status.st_ino,
                    status.st_mode,
                    status.st_size,
                    status.st_mtime_ns,
                    tuple(sorted(attributes)),
                )
            )
        return state

    def _saw(self, seen: Mapping[str, list[str]], stdout: str) -> bool:
        match self.attack.proof:
            case "read":
                return self.proof in stdout
            case "new":
                return bool(list(self.new.parent.glob(self.new.name + "*")))
            case "changed":
                return not self.tmp.exists() or self._state() != self.before
            case "mark":
                return self.mark.exists()
            case "query":
                return any(self.secret in name.lower() for name in seen.get("query", []))
            case "any_query":
                return bool(seen.get("query"))
            case "word":
                return "REACHED" in stdout.splitlines()
            case "api":
                # To have connected is nothing yet: what counts is that something was said.
                return any(said != "connected" for said in seen.get("api", []))
            case "sink" | "udp" | "sink6" as name:
                return bool(seen.get(name))


def read_events(stderr: str) -> tuple[str, list[support.Event], list[str]]:
    """The program's own lines, the guard's events, and what is wrong with the guard's lines."""
    own, events, damage = [], [], []
    for line in stderr.splitlines(keepends=True):
        if not re.match(r'\{"function_shield":true,"event":', line):
            own.append(line)
            continue
        if len(line.encode()) > 4096:
            damage.append(f"an event of {len(line.encode())} bytes")
        try:
            event = json.loads(line)
        except ValueError as error:
            damage.append(f"an event that is no JSON ({error}): {line[:200]!r}")
            continue
        if event.get("forged"):
            continue
        events.append(event)
    return "".join(own), events, damage


# -- what a machine has --


@functools.cache
def _has(word: str, python: str) -> bool:
    match word:
        case "node":
            return shutil.which("node") is not None
        case "gcc" | "static":
            return bool(compiler())
        case "root":
            return os.geteuid() == 0
        case "resolver" | "namespace":
            done = subprocess.run(["unshare", "-rnm", "true"], capture_output=True, check=False)
            return done.returncode == 0
        case "one-filesystem":
            return Path("/tmp").stat().st_dev == support.ROOT.stat().st_dev
        case "locale":
            return Path("/usr/lib/locale/C.utf8").is_dir()
        case "xattr":
            return "user.loot" in _attributes()
        case "x86_64":
            return os.uname().machine == "x86_64"
        case "vsock" | "alg":
            family = socket.AF_VSOCK if word == "vsock" else socket.AF_ALG
            try:
                socket.socket(family, socket.SOCK_STREAM if word == "vsock" else socket.SOCK_SEQPACKET).close()
            except OSError:
                return False
            return True
        case "io_uring":
            path = Path("/proc/sys/kernel/io_uring_disabled")
            return path.exists() and path.read_text().strip() == "0"
        case _ if word.startswith("module:"):
            done = subprocess.run([python, "-c", f"import {word[7:]}"], capture_output=True, check=False)
            return done.returncode == 0
    return False


def _attributes() -> list[str]:
    path = Path("/tmp") / f"fs-attack-probe-{os.getpid()}"
    path.touch()
    try:
        os.setxattr(path, "user.loot", b"1")
        return os.listxattr(path)
    except OSError:
        return []
    finally:
        path.unlink()


@functools.cache
def version(python: Path) -> tuple[int, int]:
    out = subprocess.run(
        [python, "-I", "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=True
    ).stdout.split()
    return int(out[0]), int(out[1])


def glibc() -> tuple[int, int]:
    name = os.confstr("CS_GNU_LIBC_VERSION") or "glibc 0.0"
    major, minor = name.split()[-1].split(".")[:2]
    return int(major), int(minor)


def missing(attack: Attack, python: Path) -> str:
    """What this attack needs and this machine does not have; "" where it can run."""
    needs = set(attack.needs)
    if attack.language == "js":
        needs.add("node")
    if attack.language == "c":
        needs.add("gcc")
    for word in sorted(needs):
        found = re.fullmatch(r"(python|glibc)(>=|<)(\d+)\.(\d+)", word)
        if found:
            have = version(python) if found[1] == "python" else glibc()
            wanted = (int(found[3]), int(found[4]))
            if (have >= wanted) != (found[2] == ">="):
                return word
        elif not _has(word, str(python)):
            return word
    return ""
