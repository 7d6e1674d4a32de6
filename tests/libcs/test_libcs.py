"""Without any one function of libc, or without all that are newer than some version, every door
still judges."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from tests import support
from tests.libcs import matrix
from tests.libcs.hiding import Libc, parse
from tests.libcs.rows import APART, CALLS

ASKS = re.compile(r"!real\.\w+|\breal\.\w+ *(?:\?|==|!=)")
# Used while the guard starts, before any door judges.
STARTS = re.compile(r"if \(UNLIKELY\(!real\.\w+\)\) guard_start\(\);")


def test_no_door_is_unjudged() -> None:
    count, faults = matrix.check()
    assert faults == []
    assert count > 250


def test_other_libcs_are_here() -> None:
    if "census" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(","):
        assert len(matrix.real_libcs()) >= 2
        assert matrix.can_enter()


def test_levels_hide_what_came_later() -> None:
    libc = Libc(matrix.libc_path())
    versions = [symbol.version for symbols in libc.symbols.values() for symbol in symbols]
    hidden = [sum(version > parse(level) for version in versions) for level in matrix.LEVELS]
    assert hidden == sorted(hidden, reverse=True)
    assert hidden[0] > 100


def test_every_door_is_called_or_has_a_reason() -> None:
    apart = [name for names in APART.values() for name in names.split()]
    assert [name for name, count in Counter(apart).items() if count > 1] == []
    assert sorted(set(matrix.doors()) - CALLS.keys() - set(apart)) == [], (
        "add these doors to rows.py"
    )
    assert sorted((CALLS.keys() | set(apart)) - set(matrix.doors())) == []
    assert sorted(CALLS.keys() & set(apart)) == []


def test_no_door_asks_whether_libc_has_its_function() -> None:
    """Such a door would answer before it has judged. absent.c replaces a missing function."""
    asking = []
    for path in sorted(support.CORE.rglob("*.c")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if ASKS.search(STARTS.sub("", line)):
                asking.append(f"{path.name}:{number}: {line.strip()}")
    assert asking == []


def test_a_door_that_answers_first_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The matrix can fail."""
    folder = support.ROOT / "build" / "libcs" / "planted"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("layer", "wrapper", "fshield"):
        shutil.copytree(support.ROOT / name, folder / name)
    entries = folder / support.core_file("entries.c").relative_to(support.ROOT)
    text = entries.read_text()
    judged = '    ENTRIES(old_dir, old, new_dir, new, MOVES, "rename",\n            real.renameat2('
    assert judged in text
    early = (
        "    if (!SYMBOLS_HAVE(renameat2)) return real.renameat2(old_dir, old->text, new_dir,"
        " new->text, flags);\n"
    )
    planted = f'#include "libc/symbols.h"\n{text}'.replace(judged, early + judged)
    entries.write_text(planted)
    layer = folder / "layer-built"
    shutil.copytree(support.LAYER, layer)
    core, tool = layer / "function-shield.d" / "function-shield.so", folder / "layer" / "zig.py"
    subprocess.run([sys.executable, str(tool), "core", "--out", str(core)], check=True)
    launcher = [
        sys.executable,
        str(tool),
        "launcher",
        "--core",
        str(core),
        "--out",
        str(layer / "function-shield"),
    ]
    subprocess.run(launcher, check=True)
    monkeypatch.setattr(support, "LAYER", layer)
    monkeypatch.setattr(support, "LAUNCHER", layer / "function-shield")
    _, faults = matrix.check(["renameat2"])
    assert any("renameat2 by symbol: done" in fault for fault in faults)


def test_functions_of_newer_libcs() -> None:
    source = Path(__file__).with_name("newer.c")
    library, program = support.SCRATCH / "libnewer.so", support.SCRATCH / "newer"
    support.SCRATCH.mkdir(parents=True, exist_ok=True)
    cc = [sys.executable, "-m", "ziglang", "cc", str(source), "-o"]
    subprocess.run([*cc, str(library), "-shared", "-fPIC", "-DLIBRARY"], check=True)
    subprocess.run([*cc, str(program), str(library), f"-Wl,-rpath,{library.parent}"], check=True)
    with tempfile.NamedTemporaryFile("w", dir="/tmp") as file:
        file.write("secret")
        file.flush()
        assert support.run_bare([program, file.name]).stdout == "secret\n"
        done = support.run_guarded([program, file.name], policy="strict")
    assert done.stdout == "not opened\n", done
    assert [event["details"]["path"] for event in done.of("read_write_tmp")] == [file.name]
