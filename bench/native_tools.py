"""Compiles the benchmark's C programs, with the compiler that builds the layer."""

from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parent / "native"
ENGINE = SOURCES.parent.parent / "layer" / "core"


@dataclass(frozen=True)
class Tools:
    """A launcher and a library that do nothing (the floor), and the programs that time calls and
    decisions."""

    launcher: Path
    micro: Path
    decide: Path


def compile_tools(folder: Path) -> Tools:
    """Compile into `folder`.

    Raises:
        RuntimeError: the compiler is missing or fails. The text is its output.
    """
    folder.mkdir(parents=True, exist_ok=True)
    machine = platform.machine()
    floor = folder / "floor.so"
    launcher, micro = folder / "floor-launcher", folder / "micro"
    glibc = ["-target", f"{machine}-linux-gnu.2.17"]
    _zig(
        *glibc, "-O2", "-fPIC", "-shared", "-s", str(SOURCES / "floor.c"), "-ldl", "-o", str(floor)
    )
    _zig(
        "-target",
        f"{machine}-linux-musl",
        "-O2",
        "-static",
        "-s",
        f'-DFLOOR_PRELOAD="{floor}"',
        str(SOURCES / "floor_launcher.c"),
        "-o",
        str(launcher),
    )
    _zig(*glibc, "-O2", "-s", str(SOURCES / "micro.c"), "-o", str(micro))
    decide = folder / "decide"
    # With the same options as the core.
    engine = [str(path) for path in sorted((ENGINE / "policy").glob("*.c"))]
    _zig(
        *glibc,
        "-std=gnu11",
        "-Os",
        "-fno-strict-aliasing",
        "-I",
        str(ENGINE),
        str(SOURCES / "decide.c"),
        *engine,
        "-o",
        str(decide),
    )
    return Tools(launcher, micro, decide)


def _zig(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"zig cc: {done.stderr.strip()[-400:] or 'no output'}")
