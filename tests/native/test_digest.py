"""SHA-256 is right with the processor's own instructions and without them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import CORE, core_file

HARNESS = Path(__file__).parent / "harness" / "digest.c"
BYTES = bytes((i * 7 + i // 256) & 255 for i in range(5000))
WANTED = [hashlib.sha256(BYTES[:size]).hexdigest() for size in range(0, 5000, 37)]


def build(out: Path, *options: str, plain: bool) -> Path:
    """Build the harness, with or without the instructions."""
    names = ["digest.c", "digest_constants.c", *([] if plain else ["digest_blocks.c"])]
    sources = [HARNESS, *map(core_file, names)]
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-std=gnu11",
        "-Os",
        "-I",
        str(CORE),
        *options,
    ]
    subprocess.run(
        [*command, *(["-DPLAIN"] if plain else []), *map(str, sources), "-o", str(out)], check=True
    )
    return out


@pytest.mark.parametrize("plain", [False, True])
def test_here(tmp_path: Path, plain: bool) -> None:
    program = build(tmp_path / "digest", plain=plain)
    assert subprocess.check_output([program], text=True).split() == WANTED


def test_on_arm64(tmp_path: Path) -> None:
    emulator = shutil.which("qemu-aarch64-static")
    if emulator is None:
        pytest.skip("qemu-user-static is not here")
    program = build(tmp_path / "digest", "-target", "aarch64-linux-musl", "-static", plain=False)
    assert subprocess.check_output([emulator, program], text=True).split() == WANTED
