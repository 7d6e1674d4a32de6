"""Never unguarded: a missing, damaged or unloadable core stops the command."""

from __future__ import annotations

import os
import resource
import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.contract.helpers import (
    PYTHON,
    SAY,
    copy_layer,
    core_of,
    launch,
    refusal,
)
from tests.support import LAYER, Guarded, rules

BLOCK = rules("block", "block", "block", "block")


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """The launcher of a layer that a test may damage."""
    return copy_layer(tmp_path / "layer")


@pytest.mark.parametrize("size", [0, 1, 64, 4096, 50_000, -1])
def test_truncated_core(layer: Path, size: int) -> None:
    content = core_of(layer).read_bytes()
    core_of(layer).write_bytes(content[:size])
    assert "attach the layer again" in refusal(launch(SAY, launcher=layer))


def test_core_with_a_changed_byte(layer: Path) -> None:
    content = core_of(layer).read_bytes()
    for index in [0, 4, 18, 64, *range(200, len(content), len(content) // 24), len(content) - 1]:
        damaged = bytearray(content)
        damaged[index] ^= 0x10
        core_of(layer).write_bytes(bytes(damaged))
        assert "damaged" in refusal(launch(SAY, launcher=layer)), index


@pytest.mark.parametrize(
    "how", ["removed", "folder", "broken link", "pipe", "other architecture", "longer", "libc"]
)
def test_no_core_of_ours(layer: Path, how: str) -> None:
    core = core_of(layer)
    content = core.read_bytes()
    core.unlink()
    if how == "folder":
        core.mkdir()
    elif how == "broken link":
        core.symlink_to("nowhere")
    elif how == "pipe":
        os.mkfifo(core)
    elif how == "other architecture":
        machine = bytearray(content)
        machine[18:20] = b"\xb7\x00" if os.uname().machine == "x86_64" else b"\x3e\x00"
        core.write_bytes(bytes(machine))
    elif how == "longer":
        core.write_bytes(content + b"\0")
    elif how == "libc":
        (libc,) = [
            path
            for path in map(
                Path, ("/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6")
            )
            if path.exists()
        ]
        shutil.copy(libc, core)
    assert "attach the layer again" in refusal(launch(SAY, launcher=layer))


def test_the_launcher_alone(tmp_path: Path) -> None:
    shutil.copy(LAYER / "function-shield", tmp_path / "function-shield")
    refusal(launch(SAY, launcher=tmp_path / "function-shield"))


def test_a_core_without_its_execute_bit_still_guards(layer: Path) -> None:
    """Some unzip tools drop it."""
    core_of(layer).chmod(0o644)
    result = launch([PYTHON, "-c", "import os; os.listdir('/tmp')"], launcher=layer)
    assert "PolicyViolation" in result.stderr


@pytest.mark.parametrize("kind", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_little_memory(kind: str) -> None:
    """The loader could start a small program and libc, but has no memory left for the core."""

    def limit(kilobytes: int) -> Guarded:
        size = kilobytes << 10
        lower = partial(resource.setrlimit, getattr(resource, kind), (size, size))
        return launch(["/bin/sh", "-c", "echo ran"], preexec_fn=lower)

    for kilobytes in range(2500, 3100, 50):
        assert "below 8 MB" in refusal(limit(kilobytes))
    assert limit(8192).stdout == "ran\n"
