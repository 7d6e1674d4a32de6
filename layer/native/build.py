"""Compiles the native parts with ``zig cc``: the core, the launcher, and the host's ``decide`` library.

``zig`` comes from the pinned ``ziglang`` package of the Python that runs this
file, and cross-compiles from any host. glibc 2.17 is older than any that
Lambda runs; ``-z defs`` makes a newer symbol an error here and not there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import doors

HERE = Path(__file__).resolve().parent
WRAPPER = HERE.parent.parent / "wrapper"
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
WARNINGS = "-Wall -Wextra -Werror -Wshadow -Wvla -Wwrite-strings -Wstrict-prototypes -Wno-nonnull-compare".split()
COMMON = ["-std=gnu11", "-O2", "-g0", "-fvisibility=hidden", "-fno-strict-aliasing", "-ffile-prefix-map=" + str(HERE.parent.parent) + "=."]


def zig(*arguments: str) -> None:
    """Run ``zig cc`` and stop the build where it fails."""
    subprocess.run([sys.executable, "-m", "ziglang", "cc", *arguments], check=True)


def core(architecture: str, out: Path, extra: list[str]) -> None:
    """Compile the preloaded library ``out``."""
    generated = out.parent / f"generated-{architecture}"
    doors.write(generated)
    sources = sorted(str(path) for path in HERE.glob("*.c"))
    zig(
        "-target", f"{ARCHITECTURES[architecture]}-linux-gnu.2.17", *COMMON, *WARNINGS, *extra,
        "-fPIC", "-shared", "-s", "-ftls-model=initial-exec", "-I", str(HERE), "-I", str(generated),
        "-Wl,-z,defs", "-Wl,-z,relro", "-Wl,-z,now", f"-Wl,--version-script={generated / 'exports.map'}",
        "-Wl,-soname,function-shield.so", "-Wl,--build-id=none", *sources, "-o", str(out),
    )  # fmt: skip


def launcher(architecture: str, out: Path) -> None:
    """Compile the exec wrapper ``out``: static, so that it starts in a tenth of a millisecond."""
    generated = out.parent / f"generated-{architecture}"
    sources = [str(WRAPPER / "launcher.c")] + [str(HERE / name) for name in ("policy.c", "digest.c", "program.c")]
    zig(
        "-target", f"{ARCHITECTURES[architecture]}-linux-musl", *COMMON, *WARNINGS,
        "-static", "-s", "-I", str(HERE), "-I", str(generated), *sources, "-o", str(out),
    )  # fmt: skip


def decide(out: Path) -> None:
    """Compile ``policy.c`` alone for this machine, for ``fshield explain``."""
    zig("-std=gnu11", "-O2", "-g0", *WARNINGS, "-fPIC", "-shared", "-s", "-I", str(HERE), str(HERE / "policy.c"), "-o", str(out))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["core", "launcher", "decide"])
    parser.add_argument("--arch", choices=list(ARCHITECTURES), default="x86_64")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("extra", nargs="*", help="more compiler options")
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.what == "core":
        core(options.arch, options.out, options.extra)
    elif options.what == "launcher":
        launcher(options.arch, options.out)
    else:
        decide(options.out)
