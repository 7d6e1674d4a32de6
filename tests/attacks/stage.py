"""Sets up one run of one attack: something to steal, and a check afterwards whether it was
stolen."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import support
from tests.attacks.building import LIB, SCRATCH, build
from tests.attacks.corpus import HERE, Attack
from tests.attacks.lib import packages
from tests.attacks.loot import catalogue_file, terminal_file, zone_file
from tests.attacks.machine import with_modules
from tests.attacks.sinks import Sinks

# A package must be older than the process that imports it. The kernel counts the times of files and
# processes in ticks.
SETTLE_S = 0.05
# Attacks on what a child inherits must not find values that the caller of the tests has set.
DROPPED = (
    "LOCALDOMAIN",
    "RES_OPTIONS",
    "HOSTALIASES",
    "NODE_OPTIONS",
    "AWS_EXECUTION_ENV",
    "TMPDIR",
)


@dataclass
class Observation:
    """The observations of one run, before they are judged."""

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
        return {
            event["ring"]
            for event in self.events
            if event["event"] == "violation" and event["policy"] in rules
        }


# Attacks that run without a function around them.
ALONE = ("alone", "site")
SITE = """
import os, sys
sys.path.insert(0, {folder!r})
try:
    __import__({module!r})
except SystemExit as ended:
    sys.stdout.flush()
    os._exit(ended.code)
"""

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
    """One run's folders, sinks and environment. A context manager that removes all of them."""

    def __init__(self, attack: Attack, python: Path) -> None:
        self.attack, self.python = attack, with_modules(attack, python)
        token = secrets.token_hex(6)
        self.secret, self.proof = f"secret{token}", f"proof{secrets.token_hex(8)}"
        self.folder = SCRATCH / f"run-{token}"
        self.tmp = Path(f"/tmp/fs-attack-{token}")
        self.new = Path(f"/tmp/fs-attack-{token}-new")
        self.mark = self.folder / "mark"
        self.task = self.folder / "task"
        self.handler_path = self.task / "main.py"
        self.layer = self.folder / "layers" / "layer" if attack.layer else support.LAYER
        self.namespace = "resolver" in attack.needs or "namespace" in attack.needs
        self.sinks: Sinks | None = None
        self.sockets: list[socket.socket] = []
        self.held = self.unlinked = -1

    def __enter__(self) -> Stage:
        self.folder.mkdir(parents=True)
        self.tmp.mkdir()
        if self.attack.layer:
            shutil.copytree(support.LAYER, self.layer)
            self.layer.chmod(0o700)
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
        if "listener" in self.attack.needs:
            for name, kind in (("stream", socket.SOCK_STREAM), ("datagram", socket.SOCK_DGRAM)):
                self.sockets.append(socket.socket(socket.AF_UNIX, kind))
                self.sockets[-1].bind(str(self.tmp / name))
            self.sockets[0].listen(4096)
        self._put_program(text)
        if "packages" in self.attack.needs:
            time.sleep(SETTLE_S)
        self.before = self._state()
        self.held = os.open(target, os.O_RDONLY)
        self.unlinked = os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600)
        os.write(self.unlinked, text.encode())
        if not self.namespace:
            self.sinks = Sinks()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.held)
        os.close(self.unlinked)
        for made in self.sockets:
            made.close()
        for path in self.tmp.parent.glob(self.new.name + "*"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        shutil.rmtree(self.tmp, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _put_program(self, text: str) -> None:
        attack = self.attack
        place = self.folder if attack.when in ALONE else self.task
        place.mkdir(exist_ok=True)
        if attack.language == "c":
            return
        name = (
            f"the_{attack.path.name}" if attack.when in ALONE else f"dependency.{attack.language}"
        )
        shutil.copy(attack.path, place / name)
        shutil.copy(LIB / f"attack.{attack.language}", place)
        program = attack.path.read_text()
        for module in re.findall(r"^(?:from|import) (\w+)", program, re.MULTILINE):
            if (LIB / f"{module}.py").exists():
                shutil.copy(LIB / f"{module}.py", place)
        if "packages" in attack.needs:
            packages.install_all(place)
            if "metadata" in attack.needs:
                packages.claim(place, "stripe", requires="tintbox")
            own = {name: "", f"attack.{attack.language}": ""}
            if "record" in attack.needs:
                packages.claim(place, "stripe", requires="requests", files=own)
            packages.install(place, "tintbox", {**own, packages.INNER_PLACE: packages.INNER})
        if "gcc" in attack.needs:
            extension = (LIB / "extension.c", "-shared", "-fPIC")
            shutil.copy(build(*extension), place / "extension.so")
            shutil.copy(build(*extension, "-DOF_GO"), place / "of_go.so")
            shutil.copy(build(*extension, "-DOF_NODE"), place / "koffi.node")
            shutil.copy(build(LIB / "client.c", "-shared", "-fPIC"), place / "runtime_client.so")
            time.sleep(SETTLE_S)
        self.program = place / name
        if attack.when == "site":
            (place / "site").mkdir()
            (place / "site" / "sitecustomize.py").write_text(
                SITE.format(folder=str(place), module=self.program.stem)
            )
        if attack.when in ALONE:
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
        if "packages" in self.attack.needs:
            late = "import stripe; stripe.work()"
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
        if form == "imported":
            # Three lines that import a package: most handlers look like this.
            package = self.task / "recipes"
            package.mkdir()
            for name in ("__init__", "deep", "later"):
                (package / f"{name}.py").write_text(source.replace("import dependency", ""))
            lines = "from recipes import deep\n{}\n\ndef handler(event, context):\n    {}\n"
            self.handler_path.write_text(lines.format(early, late))
            self.handler_path = package / "deep.py"
        else:
            self.handler_path.write_text(source)
        if form in ("compiled", "compiled_elsewhere", "imported"):
            # Compiled by the interpreter that will run it, because the format depends on its
            # version.
            code = "import py_compile, sys; py_compile.compile(sys.argv[1], doraise=True)"
            where = {**os.environ, **self._cache()}
            subprocess.run([self.python, "-c", code, self.handler_path], check=True, env=where)

    def _cache(self) -> dict[str, str]:
        if self.attack.handler != "compiled_elsewhere":
            return {}
        return {"PYTHONPYCACHEPREFIX": str(self.folder / "compiled")}

    # -- one run --

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        kept = {
            key: value for key, value in support.clean_environment().items() if key not in DROPPED
        }
        built = {}
        if "gcc" in self.attack.needs and self.attack.language != "c":
            built = {
                "ATTACK_LIBRARY": str(build(LIB / "raw.c", "-shared", "-fPIC")),
                "ATTACK_PLAIN": str(build(LIB / "plain.c", "-shared", "-fPIC")),
                "ATTACK_STATIC": str(build(LIB / "static.c", "-static")),
            }
        mounted = [word for word in self.attack.needs if word.startswith("mounted")]
        handler = {"ATTACK_MOUNT": str(self.folder / mounted[0])} if mounted else {}
        if self.attack.when == "site":
            handler["PYTHONPATH"] = str(self.folder / "site")
        if "own_run" in self.attack.needs:
            handler["ATTACK_OWN_RUN"] = "1"
        if "log" in self.attack.needs:
            handler["ATTACK_LOG"] = "1"
        if "language" in self.attack.needs:
            handler["ATTACK_LANGUAGE"] = "1"
        if self.attack.when not in ALONE:
            module = "app/main" if self.attack.handler == "package" else "main"
            handler |= {
                **self._cache(),
                "LAMBDA_TASK_ROOT": str(self.task),
                "_HANDLER": f"{module}.handler",
                "ATTACK_HANDLER": str(self.handler_path),
            }
        found = self.sinks.environment() if self.sinks else {}
        if "snapshot" in self.attack.needs:
            # As on Lambda: the requests that the function may make to the Runtime API.
            api = found["AWS_LAMBDA_RUNTIME_API"]
            found["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"http://{api}/2021-04-23/credentials"
            found["AWS_LAMBDA_METADATA_API"] = api
        return {
            **kept,
            **found,
            "ATTACK_SECRET": self.secret,
            "ATTACK_FILE": str(self.tmp / "file"),
            "ATTACK_DIR": str(self.tmp),
            "ATTACK_LINK": str(self.tmp / "link"),
            "ATTACK_NEW": str(self.new),
            "ATTACK_MARK": str(self.mark),
            "ATTACK_HELD": f"{os.getpid()}:{self.held}",
            "ATTACK_UNLINKED": f"/proc/{os.getpid()}/fd/{self.unlinked}",
            "ATTACK_LIB": str(LIB),
            "ATTACK_LAYER": str(self.layer),
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
        if attack.when in ALONE:
            return [runner, "-c", "pass"] if attack.when == "site" else [runner, str(self.program)]
        return [runner, str(LIB / f"bootstrap.{attack.language}")]

    def run(self, launcher: Path | Sequence[str] | None, extra: Mapping[str, str]) -> Observation:
        """Run the attack, without the guard if ``launcher`` is None. Several words are a command
        line that ends with the launcher."""
        before = (
            []
            if launcher is None
            else [str(launcher)]
            if isinstance(launcher, Path)
            else list(launcher)
        )
        command = [*before, *self.command()]
        log = self.folder / "seen.json"
        if self.namespace:
            resolv = self.folder / "resolv.conf"
            inside = [sys.executable, "-IS", str(HERE / "inside.py"), str(log), str(resolv), "--"]
            command = ["unshare", "-rnm", *inside, *command]
        cwd = self.folder if self.attack.when in ALONE else self.task
        errors = subprocess.PIPE
        if "log_file" in self.attack.needs:
            errors = os.open(self.folder / "errors", os.O_RDWR | os.O_CREAT)
        process = subprocess.Popen(
            command,
            env=self.environment(extra),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            pipesize=support.PIPE_BYTES,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        timed_out = False
        longest = self.attack.timeout + float(extra.get("ATTACK_SECONDS", "0"))
        try:
            stdout, stderr = process.communicate(timeout=longest)
        except subprocess.TimeoutExpired:
            timed_out = True
            self._end(process)
            stdout, stderr = process.communicate()
        self._end(process)
        if errors != subprocess.PIPE:
            os.close(errors)
            stderr = (self.folder / "errors").read_text(errors="replace")
        seen = self.sinks.close() if self.sinks else {}
        if self.namespace and log.exists():
            seen = json.loads(log.read_text())
        stderr, events, damage = read_events(stderr)
        return Observation(
            process.returncode, timed_out, stdout, stderr, events, self._saw(seen, stdout), damage
        )

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        """Kill the run's process group, and with it the daemons that the run left."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    # -- the runner's own checks --

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
            case "api" | "next" as name:
                # A connection alone proves nothing. Something must have been sent: for `next`, a
                # request about an invocation.
                return any(
                    request != "connected" and (name == "api" or "/invocation/" in request)
                    for request in seen["api"]
                )
            case "sink" | "udp" | "sink6" as name:
                return bool(seen.get(name))


def read_events(stderr: str) -> tuple[str, list[support.Event], list[str]]:
    """Split standard error into the program's own lines, the guard's events, and what is wrong with
    the guard's lines."""
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
