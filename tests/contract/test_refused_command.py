"""Never unguarded: a command that cannot be guarded does not start."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.contract.helpers import (
    PYTHON,
    SAY,
    build,
    executable,
    launch,
    refusal,
)
from tests.support import LAYER

STATIC = ["static.c", "static", "-static", "-nostdlib", "-nostartfiles"]


def test_static_command() -> None:
    assert "static" in refusal(launch([build(*STATIC)]))
    assert "static" in refusal(launch([LAYER / "function-shield", *SAY])), (
        "the launcher under itself"
    )


def test_static_pie_command() -> None:
    """It has a dynamic section, but no loader that would read LD_PRELOAD."""
    program = build("static.c", "static-pie", "-static-pie", "-fPIE", "-nostdlib", "-nostartfiles")
    assert "static" in refusal(launch([program]))


@pytest.mark.parametrize("bits", [0o4755, 0o2755, 0o6755])
def test_setuid_command(tmp_path: Path, bits: int) -> None:
    copy = tmp_path / "id"
    shutil.copy("/usr/bin/id", copy)
    copy.chmod(bits)
    assert "setuid" in refusal(launch([copy]))
    copy.chmod(0o755)
    assert launch([copy]).returncode == 0


def test_command_with_capabilities(tmp_path: Path) -> None:
    copy = tmp_path / "id"
    shutil.copy("/usr/bin/id", copy)
    # VFS_CAP_REVISION_2, effective, cap_net_bind_service
    value = bytes.fromhex("0100000200040000000000000000000000000000")
    try:
        os.setxattr(copy, "security.capability", value)
    except OSError:
        pytest.skip("file capabilities cannot be set here")
    assert "capabilities" in refusal(launch([copy]))


def loader_of(program: bytes) -> bytes:
    start = program.index(b"/lib", 0)
    return program[start : program.index(b"\0", start)]


@pytest.mark.parametrize(
    "loader", ["/lib/ld-musl-x86_64.so.1", "/no/loader", "/usr/bin/env", "", "ld.so"]
)
def test_foreign_loader(tmp_path: Path, loader: str) -> None:
    content = Path("/bin/true").resolve().read_bytes()
    ours = loader_of(content)
    padded = loader.encode()[: len(ours)].ljust(len(ours), b"\0")
    program = tmp_path / "program"
    program.write_bytes(content.replace(ours, padded, 1))
    program.chmod(0o755)
    assert "loader" in refusal(launch([program]))


def test_command_for_another_machine(tmp_path: Path) -> None:
    content = bytearray(Path("/bin/true").resolve().read_bytes())
    program = tmp_path / "program"
    for offset, value in ((18, b"\xf3\x00"), (4, b"\x01"), (5, b"\x02")):
        damaged = bytearray(content)
        damaged[offset : offset + len(value)] = value
        program.write_bytes(bytes(damaged))
        program.chmod(0o755)
        refusal(launch([program]))


def test_damaged_command(tmp_path: Path) -> None:
    content = Path("/bin/true").resolve().read_bytes()
    program = tmp_path / "program"
    for damaged in (
        b"",
        content[:4],
        content[:64],
        content[:100],
        b"#!",
        b"#!\n",
        b"#!/no/such/interpreter\n",
        b"text\n",
    ):
        program.write_bytes(damaged)
        program.chmod(0o755)
        refusal(launch([program]))


def test_script_whose_interpreter_cannot_be_guarded(tmp_path: Path) -> None:
    script = executable(tmp_path / "script", f"#!{build(*STATIC)}\n")
    assert "static" in refusal(launch([script]))
    first = executable(tmp_path / "first", f"#!{script}\n")
    assert "static" in refusal(launch([first]))


def test_scripts_of_scripts(tmp_path: Path) -> None:
    """As deep as the kernel allows, and in a circle."""
    executable(tmp_path / "0", f"#!{PYTHON}\nprint('ran')\n")
    for depth in range(1, 8):
        executable(tmp_path / str(depth), f"#!{tmp_path}/{depth - 1}\n")
        result = launch([tmp_path / str(depth)])
        assert (result.stdout, result.returncode) == ("ran\n", 0) or refusal(result)
    executable(tmp_path / "circle", f"#!{tmp_path}/circle\n")
    refusal(launch([tmp_path / "circle"]))


def test_missing_command(tmp_path: Path) -> None:
    refusal(launch([]))
    for name in (
        "",
        "no-such-command",
        "/no/such/command",
        "./no-such-command",
        str(tmp_path),
        "/etc/passwd",
        "x" * 5000,
    ):
        refusal(launch([name]))
    (tmp_path / "not-executable").write_text("#!/bin/sh\necho ran\n")
    refusal(launch([tmp_path / "not-executable"]))
    (tmp_path / "loop").symlink_to("loop")
    refusal(launch([tmp_path / "loop"]))
