"""What the contract tests share: layers to copy and damage, C programs, and runs in a chosen
environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.support import (
    LAUNCHER,
    LAYER,
    PIPE_BYTES,
    ROOT,
    SCRATCH,
    UNGUARDED,
    Guarded,
    clean_environment,
    split_events,
)

HERE = Path(__file__).resolve().parent
PYTHON = str(Path(sys.executable).resolve())
REFUSED = 78
#: 'The outside': no default rule allows it. The test has no listener there unless it says so.
OUTSIDE = "127.66.66.66"
SAY = [PYTHON, "-c", "print('ran')"]


def launch(
    argv: Sequence[str | Path],
    *,
    launcher: Path | str = LAUNCHER,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    stdin: str | None = None,
    timeout: float = 30,
    **more: Any,
) -> Guarded:
    """Run `argv` under `launcher` with only these FunctionShield variables; bare if the tests run
    unguarded."""
    command = [str(part) for part in argv] if UNGUARDED else [str(launcher), *map(str, argv)]
    done = subprocess.run(
        command,
        env=clean_environment(env),
        cwd=cwd or ROOT / "build",
        capture_output=True,
        pipesize=PIPE_BYTES,
        text=True,
        errors="surrogateescape",
        timeout=timeout,
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        check=False,
        **more,
    )
    stderr, events = split_events(done.stderr)
    return Guarded(done.returncode, done.stdout, stderr, events)


def copy_layer(folder: Path) -> Path:
    """Copy the layer to `folder`. Returns the copy's launcher."""
    shutil.copytree(LAYER, folder, symlinks=True)
    return folder / "function-shield"


def core_of(launcher: Path) -> Path:
    """The core next to a copied launcher."""
    return launcher.parent / "function-shield.d" / "function-shield.so"


def policy_of(launcher: Path, name: str) -> Path:
    """Where a policy of this name lies in the layer of `launcher`."""
    return launcher.parent / "function-shield.d" / "policies" / f"{name}.policy"


@cache
def build(source: str, name: str, *options: str) -> Path:
    """Compile ``source`` of this folder to ``name``, by gcc if there is one, otherwise by zig."""
    out = SCRATCH / "contract" / name
    out.parent.mkdir(parents=True, exist_ok=True)
    compiler = ["gcc"] if shutil.which("gcc") else [sys.executable, "-m", "ziglang", "cc"]
    partial = out.with_name(f"{name}.{os.getpid()}")
    subprocess.run(
        [*compiler, "-w", "-O1", str(HERE / source), *options, "-o", str(partial)], check=True
    )
    partial.replace(out)
    return out


def executable(path: Path, text: str) -> Path:
    """Write an executable file with this text."""
    path.write_text(text)
    path.chmod(0o755)
    return path


def refusal(result: Guarded) -> str:
    """The sentence of a refusal. Fails if the command ran, or if the event does not match the
    contract."""
    assert result.returncode == REFUSED, result
    assert result.stdout == "", "the command ran"
    assert [event["event"] for event in result.events] == ["refused"], result
    (event,) = result.events
    assert event["level"] == "FATAL"
    assert event["event_version"] == 1
    assert result.stderr == "", (
        "more than the event on stderr: the loader warns if it could not preload"
    )
    sentence: str = event["message"]
    return sentence
