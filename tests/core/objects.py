"""Compiles each unit of the core to its own object.

The objects serve three tests. test_layers.py reads their symbols. visits links them to a core that
notes each function that is entered. tests/faults links them to a core that faults in one of these
functions.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support import CORE, LAYER, ROOT

sys.path.append(str(ROOT / "layer"))
import zig as zig  # noqa: PLC0414 - the tests take it from here

import build

OBJECTS = ROOT / "build" / "layers"
GENERATED = OBJECTS / "generated"
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
ARCHITECTURE = build.host()
TARGET = ["-target", f"{zig.ARCHITECTURES[ARCHITECTURE]}-linux-gnu.2.17"]
OPTIONS = [
    *(*TARGET, *(option for option in zig.COMMON if option != "-g0")),
    *("-w", "-g", '-DFS_VERSION="0"'),
    *("-fPIC", "-ftls-model=initial-exec", "-finstrument-functions"),
    *("-I", str(CORE), "-I", str(GENERATED)),
]


def text_with_includes(path: Path, seen: set[Path]) -> bytes:
    """Every byte that goes into the object of ``path``."""
    if path in seen or not path.exists():
        return b""
    seen.add(path)
    text = path.read_text()
    parts = [text.encode()]
    for name in INCLUDE.findall(text):
        folder = CORE if "/" in name else GENERATED
        parts.append(text_with_includes(folder / name, seen))
    return b"\0".join(parts)


def compiled(path: Path) -> Path:
    """The object of a unit, from the cache if nothing has changed."""
    key = hashlib.sha256(repr(OPTIONS).encode() + text_with_includes(path, set())).hexdigest()
    out = OBJECTS / f"{path.stem}-{key[:16]}.o"
    if not out.exists():
        for old in OBJECTS.glob(f"{path.stem}-????????????????.o"):
            old.unlink()
        made = out.with_suffix(".new")
        zig.zig(*OPTIONS, "-c", str(path), "-o", str(made))
        made.rename(out)
    return out


def units() -> dict[Path, Path]:
    """The object of each unit of the core."""
    OBJECTS.mkdir(parents=True, exist_ok=True)
    zig.doors.write(GENERATED)
    zig.request_table.write(GENERATED)
    paths = sorted(CORE.rglob("*.c"))
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(paths, pool.map(compiled, paths), strict=True))


def layer(folder: Path, added: Path, exported: Sequence[str]) -> None:
    """A layer in ``folder`` whose core consists of the units and of ``added``. ``added`` gets the
    calls of -finstrument-functions, and its functions in this list are exported."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(LAYER, folder)
    core = folder / "function-shield.d" / "function-shield.so"
    objects = map(str, units().values())
    exports = folder / "exports.map"
    names = (GENERATED / "exports.map").read_text()
    exports.write_text(names.replace("global:", f"global: {'; '.join(exported)};"))
    zig.zig(
        *(*TARGET, "-Os", "-g", "-fPIC", "-shared", "-Wl,-Bsymbolic", "-Wl,-z,now"),
        *("-I", str(CORE), f"-Wl,--version-script={exports}", *objects, str(added)),
        *("-o", str(core)),
    )
    shutil.copytree(GENERATED, folder / f"generated-{ARCHITECTURE}")
    zig.launcher(ARCHITECTURE, core, folder / "function-shield")
