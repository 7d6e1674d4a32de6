"""The census found functions of libc that open files, connect or mount internally. Each has a door,
in every version."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import support
from tests.support import run_guarded

PROGRAM = Path(__file__).resolve().parent / "programs" / "inward.c"
# the function, its arguments ({} is a file in /tmp), and the rule
CALLS = [
    ("__open64_nocancel", "{}", "read_write_tmp"),
    ("__open_nocancel", "{}", "read_write_tmp"),
    ("setmntent", "{}", "read_write_tmp"),
    ("__setmntent", "{}", "read_write_tmp"),
    ("__nss_files_fopen", "{}", "read_write_tmp"),
    ("utmpname", "{}", "read_write_tmp"),
    ("utmpxname", "{}", "read_write_tmp"),
    ("bindtextdomain", "/tmp", "read_write_tmp"),
    ("getdate_r", "{}", "read_write_tmp"),
    ("__socket", "-", "outbound_connectivity"),
    ("__ivaliduser", "data.evil.example", "outbound_connectivity"),
    ("_nss_dns_getcanonname_r", "data.evil.example", "outbound_connectivity"),
    ("rtime", "-", "outbound_connectivity"),
    ("clnttcp_create", "-", "outbound_connectivity"),
    ("fsopen", "-", "guard_integrity"),
    ("prctl", "-", "guard_integrity"),
]


@pytest.fixture(scope="module")
def inward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, compiled once."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("neither gcc nor clang is here")
    out = support.SCRATCH / "inward" / "inward"
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, "-O1", str(PROGRAM), "-o", str(out), "-ldl"], check=True)
    return out


@pytest.mark.parametrize(("function", "word", "rule"), CALLS, ids=[call[0] for call in CALLS])
def test_held(inward: Path, tmp_file: Path, function: str, word: str, rule: str) -> None:
    done = run_guarded([str(inward), function, word.format(tmp_file)], policy="strict")
    if done.stdout == "absent\n":
        pytest.skip(f"{function} is not in this libc")
    assert "done" not in done.stdout
    assert done.of(rule), done.events
