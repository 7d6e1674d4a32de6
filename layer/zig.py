"""Compiles the native parts with ``zig cc``: the core, the launcher, and the host's ``decide``
library.

``zig`` comes from the pinned ``ziglang`` package of the Python that runs this
file, and cross-compiles from any host. glibc 2.17 is older than any that
Lambda runs; with ``-z defs``, a newer symbol is an error at build time, not on Lambda.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

LAYER = Path(__file__).resolve().parent
CORE = LAYER / "core"
WRAPPER = LAYER.parent / "wrapper"
# The generators lie beside their tables.
sys.path[:0] = [str(CORE / "interpose"), str(CORE / "memory")]

import doors as doors  # noqa: E402, PLC0414 - the tests take it from here
import request_table as request_table  # noqa: E402, PLC0414

ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
WARNINGS = [
    *("-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wvla", "-Wwrite-strings", "-Wstrict-prototypes"),
    # libc declares its pointer arguments non-null. Doors check for null pointers, so that must not
    # be optimised away.
    *("-Wno-pointer-bool-conversion", "-Wno-tautological-pointer-compare"),
]
COMMON = [
    *("-std=gnu11", "-D_GNU_SOURCE", "-Os", "-g0", "-fvisibility=hidden"),
    *("-fno-strict-aliasing", "-fno-delete-null-pointer-checks"),
    f"-ffile-prefix-map={LAYER.parent}=.",
]


# zig makes -Os of -Oz; clang itself takes it. Outlined functions, which it makes for arm64,
# compress badly.
SMALL = {"x86_64": ("-Xclang", "-Oz"), "arm64": ("-Xclang", "-Oz", "-mno-outline")}
# Units on the path of every `open` and every decision, which are optimised for speed. In other
# doors the system call takes hundreds of times what small code costs.
HOT = (
    "copied",
    "decide",
    "files",
    "fitting",
    "guard",
    "hook",
    "layer",
    "matching",
    "opening",
    "places",
    "policy",
    "reserved",
)
# Units that need unwind tables: doors, and units that call libc for them. Cancellation in libc, or
# an exception of the caller, unwinds their frames.
UNWOUND = re.compile(r"\breal\.|\bDOOR\b|\bfiles_open\(|doors_\w+\.gen\.h")

# The units that the launcher shares with the core.
LAUNCHER = (
    "handed_on.c",
    "policy.c",
    "fitting.c",
    "matching.c",
    "only_for.c",
    "decide.c",
    "digest.c",
    "digest_blocks.c",
    "digest_constants.c",
    "program.c",
    "json.c",
    "secrets.c",
    "text.c",
)
# The units that decide. They call no libc functions except for memory.
DECIDE = ("policy.c", "fitting.c", "matching.c", "only_for.c", "decide.c", "expansion.c")


def source(name: str) -> Path:
    """The file of that name below ``layer/core``: names are unique there."""
    (found,) = CORE.rglob(name)
    return found


def version() -> str:
    """The project's version, from fshield/version.py."""
    text = (LAYER.parent / "fshield" / "version.py").read_text()
    return text.split('VERSION = "')[1].split('"')[0]


@cache
def compiler() -> str:
    """The program that ``python -m ziglang`` becomes: a Python started for each unit would take a
    sixth of the time that the core takes to compile."""
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        raise SystemExit("zig.py: this Python has no package ziglang: run ./build.sh")
    return str(Path(found.origin).with_name("zig"))


def zig(*arguments: str) -> None:
    """Run ``zig cc``. Where it fails, its own message says why: a traceback would bury it."""
    if subprocess.run([compiler(), "cc", *arguments], check=False).returncode != 0:
        raise SystemExit(f"zig.py: zig cc did not make {arguments[-1]}: see above")


def is_unwound(path: Path) -> bool:
    """Whether the unit needs unwind tables."""
    return bool(UNWOUND.search(path.read_text()))


def unit_options(path: Path, architecture: str) -> list[str]:
    """The unit's own options, besides the common ones."""
    small = () if path.stem in HOT else SMALL[architecture]
    # zig keeps frame pointers. Where there are tables, they are smaller with them.
    tables = ["-fno-unwind-tables", "-fomit-frame-pointer"]
    if is_unwound(path):
        tables = ["-funwind-tables"]
    return [*small, "-fno-asynchronous-unwind-tables", *tables]


def core(architecture: str, out: Path, extra: list[str]) -> None:
    """Compile the preloaded library ``out``."""
    generated = out.parent / f"generated-{architecture}"
    doors.write(generated)
    request_table.write(generated)
    target = ("-target", f"{ARCHITECTURES[architecture]}-linux-gnu.2.17")
    options = [
        *(
            *COMMON,
            *WARNINGS,
            *extra,
            f'-DFS_VERSION="{version()}"',
            "-fPIC",
            "-ftls-model=initial-exec",
            # Shared units have functions that only the launcher calls.
            "-ffunction-sections",
            "-fdata-sections",
        ),
        *("-I", str(CORE), "-I", str(generated)),
    ]
    objects = out.parent / f"objects-{architecture}"
    shutil.rmtree(objects, ignore_errors=True)
    objects.mkdir()

    def compiled(path: Path) -> str:
        made = objects / f"{path.stem}.o"
        own = unit_options(path, architecture)
        zig(*target, *options, *own, "-c", str(path), "-o", str(made))
        return str(made)

    # Doors are alike, and so are frames with and without a pointer. Side by side, they take 1,500
    # bytes less in a zip.
    paths = sorted(CORE.rglob("*.c"), key=lambda path: (not is_unwound(path), path))
    with ThreadPoolExecutor() as pool:
        units = list(pool.map(compiled, paths))
    zig(
        # Without this, zig compiles its runtime for the target first, which the core does not use.
        *(*target, "-Os", *extra, "-shared", "-s", "-rtlib=none"),
        # The table of doors names the core's own functions: the loader looks none of them up at
        # start, and no other object can replace one.
        "-Wl,-Bsymbolic",
        *(
            "-Wl,--gc-sections",
            "-Wl,-z,defs",
            "-Wl,-z,relro",
            "-Wl,-z,now",
            "-Wl,--build-id=none",
            "-Wl,-soname,function-shield.so",
        ),
        # Every supported glibc reads this table. The other kind would repeat these names.
        "-Wl,--hash-style=gnu",
        *(f"-Wl,--version-script={generated / 'exports.map'}", *units, "-o", str(out)),
    )
    shutil.rmtree(objects)


def checksum(data: bytes) -> int:
    """What ``checksum`` in wrapper/installed.c computes."""
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
    """Compile the exec wrapper ``out`` for just this core: static and without libc, so that it
    starts in a tenth of a millisecond, and nobody waits for zig to compile a libc."""
    data = core_file.read_bytes()
    generated = out.parent / f"generated-{architecture}"
    # musl's headers alone: wrapper/libc has the functions.
    target = ("-target", f"{ARCHITECTURES[architecture]}-linux-musl")
    options = [
        *(
            *COMMON,
            *WARNINGS,
            *SMALL[architecture],
            # Nothing unwinds a program that has one thread and is C.
            "-fno-asynchronous-unwind-tables",
            "-fno-unwind-tables",
            "-fomit-frame-pointer",
            f'-DFS_VERSION="{version()}"',
            f"-DCORE_SIZE={len(data)}",
            f"-DCORE_CHECKSUM={checksum(data)}ull",
            # It needs only a part of the shared units.
            "-ffunction-sections",
            "-fdata-sections",
        ),
        *("-I", str(CORE), "-I", str(generated), "-I", str(WRAPPER)),
    ]
    sources = [*sorted(WRAPPER.rglob("*.c")), *(source(name) for name in LAUNCHER)]
    with TemporaryDirectory(dir=out.parent) as objects:

        def compiled(path: Path) -> str:
            made = Path(objects) / f"{path.stem}.o"
            # Otherwise clang turns the loop in memcpy into a call of memcpy.
            own = ("-ffreestanding",) if path.name == "strings.c" else ()
            zig(*target, *options, *own, "-c", str(path), "-o", str(made))
            return str(made)

        with ThreadPoolExecutor() as pool:
            units = list(pool.map(compiled, sources))
        zig(
            *(*target, "-Os", "-static", "-s", "-nostdlib", "-rtlib=none"),
            *("-Wl,--gc-sections", *units, "-o", str(out)),
        )
    drop_sections(out)


def drop_sections(program: Path) -> None:
    """Cut off the table of sections, which only linkers and debuggers read: 200 bytes in a zip."""
    data = bytearray(program.read_bytes())
    segments, count = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    end = 0
    for at in range(segments, segments + 56 * count, 56):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, at)
        if kind == 1:  # PT_LOAD
            end = max(end, offset + size)
    struct.pack_into("<Q", data, 40, 0)
    struct.pack_into("<HHH", data, 58, 0, 0, 0)
    program.write_bytes(data[:end])


def decide(out: Path, target: str = "") -> None:
    """Compile what decides, alone, for ``fshield explain``: for this machine, or for zig's
    `target`."""
    machine = ("-target", target) if target else ()
    shared = ["-fvisibility=default", "-fPIC", "-shared", "-s", "-rtlib=none"]
    if "macos" in (target or sys.platform.replace("darwin", "macos")):
        # Otherwise its name is the build path, and the bytes differ by folder.
        shared += ["-install_name", f"@rpath/{out.name}"]
    zig(
        *machine,
        *COMMON,
        *WARNINGS,
        *shared,
        "-I",
        str(CORE),
        *(str(source(name)) for name in DECIDE),
        "-o",
        str(out),
    )


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
