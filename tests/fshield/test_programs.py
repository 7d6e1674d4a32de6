"""Programs that the guard cannot be loaded into: `check` reports an entry for one, `explain` says
that it is refused, and neither `learn` nor `fix` writes an entry."""

from __future__ import annotations

import json
import os
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fshield import programs
from fshield.cli.app import app
from fshield.engine.policy_tests import run as run_tests
from fshield.language.loader import load
from fshield.language.policy import Mode
from tests.fshield.learning import entries, held, learnt, policy_of
from tests.fshield.recorded import Log

HEAD = "version: 1\npolicy:\n  create_child_process:\n    mode: {mode}\n    allow:\n"
INTERPRETER = str(Path(sys.executable).resolve())


def elf(loader: str | None, *, bits: int = 2) -> bytes:
    """The ELF headers of a program."""
    name = b"" if loader is None else loader.encode() + b"\0"
    kind = 1 if loader is None else 3
    ident = b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", kind, 4, 120, 0, 0, len(name), len(name), 1)
    return ident + header + segment + name


def policy(folder: Path, *paths: str | Path, mode: str = "block", more: str = "") -> Path:
    file = folder / "p.yaml"
    lines = "".join(f"      - {path}\n" for path in paths)
    file.write_text(HEAD.format(mode=mode) + lines + more)
    return file


def run(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout)


def program(folder: Path, data: bytes, mode: int = 0o755) -> Path:
    file = folder / "program"
    file.write_bytes(data)
    file.chmod(mode)
    return file


def test_check_names_the_line_and_the_fix(tmp_path: Path) -> None:
    status, output = run("check", policy(tmp_path, "/usr/bin/uname", "/usr/sbin/ldconfig"))
    (found,) = output["findings"]
    assert (status, found["line"], found["level"]) == (1, 7, "warning")
    assert "/usr/sbin/ldconfig does not start" in found["message"]
    assert "name the library by its file" in found["fix"]


def test_what_is_mostly_static_is_a_note(tmp_path: Path) -> None:
    status, output = run("check", policy(tmp_path, "/opt/no/such/folder/ffmpeg"))
    (found,) = output["findings"]
    assert (status, found["level"]) == (0, "note")
    assert "may not start" in found["message"]


def test_where_nothing_blocks_it_starts(tmp_path: Path) -> None:
    rest = "  default: alert\n"
    chosen = policy(tmp_path, "/usr/sbin/ldconfig", mode="alert", more=rest)
    assert run("check", chosen) == (0, {"ok": True, "findings": [], "problems": []})
    _, output = run("explain", chosen, "exec", "/usr/sbin/ldconfig")
    assert (output["mode"], output["reason"]) == ("alert", "unguardable")


@pytest.mark.parametrize(
    ("data", "mode", "why"),
    [
        (elf(None), 0o755, "statically linked"),
        (elf("/lib/ld-musl-x86_64.so.1"), 0o755, "not glibc's"),
        (elf("/lib64/ld-linux-x86-64.so.2", bits=1), 0o755, "64-bit"),
        (elf("/lib64/ld-linux-x86-64.so.2"), 0o4755, "setuid"),
        (elf("/lib64/ld-linux-x86-64.so.2"), 0o755, None),
        (f"#!{INTERPRETER} -I\n".encode(), 0o755, None),
        (b"#!/usr/bin/no-such-interpreter\n", 0o755, None),
        (b"#!\n", 0o755, None),
        (b"\x7fELF", 0o755, None),
        (elf(None)[:100], 0o755, None),
        (b"", 0o755, None),
    ],
)
def test_a_file_on_this_machine(tmp_path: Path, data: bytes, mode: int, why: str | None) -> None:
    file = program(tmp_path, data, mode)
    found = programs.unguardable(str(file))
    assert (found is None) if why is None else (found is not None and why in found.why)
    chosen = policy(tmp_path, file)
    status, output = run("check", chosen)
    assert (status, len(output["findings"])) == ((0, 0) if why is None else (1, 1))
    _, output = run("explain", chosen, "exec", file)
    assert output["mode"] == ("allow" if why is None else "block")
    assert output["rule"] == "p.yaml:6"


def test_a_script_is_what_its_interpreter_is(tmp_path: Path) -> None:
    file = program(tmp_path, elf(None))
    script = tmp_path / "script"
    script.write_text(f"#! {file} x\n")
    found = programs.unguardable(str(script))
    assert found is not None
    assert "statically linked" in found.why
    script.write_text(f"#!{script}\n")
    assert programs.unguardable(str(script)) is None


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none", "/\0"):
        assert programs.unguardable(str(path)) is None


def test_a_file_here_decides_for_what_is_mostly_static(tmp_path: Path) -> None:
    file = tmp_path / "ffmpeg"
    file.write_bytes(elf("/lib64/ld-linux-x86-64.so.2"))
    assert programs.unguardable(str(file)) is None
    file.write_bytes(elf(None))
    found = programs.unguardable(str(file))
    assert found is not None
    assert found.sure


def test_a_policy_s_tests_say_what_the_run_does(tmp_path: Path) -> None:
    static = program(tmp_path, elf(None))
    tests = f"tests:\n  - blocked: {{exec: /usr/sbin/ldconfig}}\n  - allowed: {{exec: {static}}}\n"
    chosen = load(policy(tmp_path, "/usr/sbin/ldconfig", static, more=tests))
    # Decided by the name only, so that results are the same on every machine.
    assert [(result.answer.mode, result.passed) for result in run_tests(chosen)] == [
        (Mode.BLOCK, True),
        (Mode.ALLOW, True),
    ]


@pytest.mark.parametrize("reason", ["no_rule", "unguardable"])
def test_no_entry_is_learnt(reason: str) -> None:
    path = "/usr/sbin/ldconfig"
    log = Log().add("create_child_process", path=path, arguments="ldconfig -p", reason=reason)
    for found in (learnt(log), learnt(log, path)):
        assert entries(found) == []
        assert [item.accept for item in found.held] == [None]
        assert "the guard cannot be loaded into it" in held(found)[path]
        assert all(entry.pattern != path for entry in policy_of(found).allows)
