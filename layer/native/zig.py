"""Compiles the native parts with ``zig cc``: the core, the launcher, and the host's ``decide`` library.

``zig`` comes from the pinned ``ziglang`` package of the Python that runs this
file, and cross-compiles from any host. glibc 2.17 is older than any that
Lambda runs; ``-z defs`` makes a newer symbol an error here and not there.
"""

from __future__ import annotations

import argparse
import struct
import subprocess
import sys
from pathlib import Path

import doors

HERE = Path(__file__).resolve().parent
WRAPPER = HERE.parent.parent / "wrapper"
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
WARNINGS = [
    *("-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wvla", "-Wwrite-strings", "-Wstrict-prototypes"),
    # libc declares that its functions get no null pointers; a door is called by anybody, and looks.
    *("-Wno-pointer-bool-conversion", "-Wno-tautological-pointer-compare"),
]
COMMON = [
    *("-std=gnu11", "-D_GNU_SOURCE", "-Os", "-g0", "-fvisibility=hidden"),
    *("-fno-strict-aliasing", "-fno-delete-null-pointer-checks"),
    f"-ffile-prefix-map={HERE.parent.parent}=.",
]


# zig makes -Os of -Oz; clang itself takes it. Outlined functions, which it makes for arm64, compress badly.
SMALL = {"x86_64": ("-Xclang", "-Oz"), "arm64": ("-Xclang", "-Oz", "-mno-outline")}
# What a call that is allowed runs through is not made as small as can be.
HOT = (
    *("addresses", "addrinfo", "attributes", "crossing", "descriptors", "dns_socket", "entries", "expansion", "files"),
    *("held", "hook", "hosts", "learnt", "matching", "names", "network", "policy", "receiving", "watched"),
)

# What the launcher shares with the core.
LAUNCHER = ("policy.c", "matching.c", "digest.c", "digest_blocks.c", "program.c", "json.c", "secrets.c")
# What decides: no libc calls beyond memory.
DECIDE = ("policy.c", "matching.c", "expansion.c")


def version() -> str:
    """The project's version, from fshield/version.py."""
    text = (HERE.parent.parent / "fshield" / "version.py").read_text()
    return text.split('VERSION = "')[1].split('"')[0]


def zig(*arguments: str) -> None:
    """Run ``zig cc`` and stop the build where it fails."""
    subprocess.run([sys.executable, "-m", "ziglang", "cc", *arguments], check=True)


def core(architecture: str, out: Path, extra: list[str]) -> None:
    """Compile the preloaded library ``out``."""
    generated = out.parent / f"generated-{architecture}"
    doors.write(generated)
    target = ("-target", f"{ARCHITECTURES[architecture]}-linux-gnu.2.17")
    options = [
        *(*COMMON, *WARNINGS, *extra, f'-DFS_VERSION="{version()}"', "-fPIC", "-ftls-model=initial-exec"),
        *("-I", str(HERE), "-I", str(generated)),
        # Unwinding (a thread that is cancelled in a door, C++ exceptions of a caller's) meets our frames at calls only.
        *("-fno-asynchronous-unwind-tables", "-funwind-tables"),
    ]
    objects = {name: out.parent / f"hot-{architecture}-{name}.o" for name in HOT}
    for name, made in objects.items():
        zig(*target, *options, "-c", str(HERE / f"{name}.c"), "-o", str(made))
    sources = [str(objects.get(path.stem, path)) for path in sorted(HERE.glob("*.c"))]
    zig(
        *(*target, *options, *SMALL[architecture], "-shared", "-s"),
        # The table of doors names our own: no look-ups by the loader at start, and no other object's functions in it.
        "-Wl,-Bsymbolic",
        *("-Wl,-z,defs", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,--build-id=none", "-Wl,-soname,function-shield.so"),
        # The loader of any glibc that is guarded reads this one; the other would be a second table of the same names.
        "-Wl,--hash-style=gnu",
        *(f"-Wl,--version-script={generated / 'exports.map'}", *sources, "-o", str(out)),
    )
    for made in objects.values():
        made.unlink()


def checksum(data: bytes) -> int:
    """What ``checksum`` in launcher.c computes."""
    mask = (1 << 64) - 1

    def step(value: int, word: int) -> int:
        value ^= word
        value = (value << 29 | value >> 35) & mask
        return value * 0x9E3779B97F4A7C15 & mask

    lanes = [1, 2, 3, 4]
    whole = len(data) // 32 * 32
    for index, (word,) in enumerate(struct.iter_unpack("<Q", data[:whole])):
        lanes[index % 4] = step(lanes[index % 4], word)
    for byte in data[whole:]:
        lanes[0] = step(lanes[0], byte)
    return step(step(step(lanes[0], lanes[1]), lanes[2]), lanes[3])


def launcher(architecture: str, core_file: Path, out: Path) -> None:
    """Compile the exec wrapper ``out`` for just this core: static, so that it starts in a tenth of a millisecond."""
    data = core_file.read_bytes()
    belongs = [f"-DCORE_SIZE={len(data)}", f"-DCORE_CHECKSUM={checksum(data)}ull"]
    generated = out.parent / f"generated-{architecture}"
    sources = [str(WRAPPER / "launcher.c"), *(str(HERE / name) for name in LAUNCHER)]
    zig(
        *("-target", f"{ARCHITECTURES[architecture]}-linux-musl", *COMMON, *WARNINGS, f'-DFS_VERSION="{version()}"'),
        *(*belongs, "-static", "-s", "-I", str(HERE), "-I", str(generated), *sources, "-o", str(out)),
    )


def decide(out: Path, target: str = "") -> None:
    """Compile what decides, alone, for ``fshield explain``: for this machine, or for zig's `target`."""
    machine = ("-target", target) if target else ()
    shared = ("-fvisibility=default", "-fPIC", "-shared", "-s")
    zig(*machine, *COMMON, *WARNINGS, *shared, *(str(HERE / name) for name in DECIDE), "-o", str(out))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["core", "launcher", "decide"])
    parser.add_argument("--arch", choices=list(ARCHITECTURES), default="x86_64")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--core", type=Path, help="the core that a launcher belongs to")
    parser.add_argument("extra", nargs="*", help="more compiler options")
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.what == "core":
        core(options.arch, options.out, options.extra)
    elif options.what == "launcher":
        launcher(options.arch, options.core, options.out)
    else:
        decide(options.out)
