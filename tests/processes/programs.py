"""Compiles the C programs of these tests, once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.support import SCRATCH

HERE = Path(__file__).resolve().parent


@cache
def build(source: str, name: str, *options: str) -> Path:
    """Compile ``source`` of this folder to ``name``, by gcc if there is one, otherwise by zig."""
    out = SCRATCH / "programs" / name
    out.parent.mkdir(parents=True, exist_ok=True)
    compiler = ["gcc"] if shutil.which("gcc") else [sys.executable, "-m", "ziglang", "cc"]
    partial = out.with_name(f"{name}.partial")
    subprocess.run(
        [*compiler, "-w", "-O1", *options, str(HERE / source), "-o", str(partial), "-lutil"],
        check=True,
    )
    partial.replace(out)
    return out


def acts() -> Path:
    """The program that starts processes in every way: acts.c."""
    return build("acts.c", "acts")


def script(name: str, text: str) -> Path:
    """Write an executable file ``name`` with this text."""
    path = SCRATCH / "programs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path
