"""The example for CI compares what two versions of a package do."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import LAYER, ROOT, clean_environment

SCRIPT = ROOT / "examples" / "ci" / "compare.py"
TEST = """
import unittest
import requests

class Test(unittest.TestCase):
    def test_get(self):
        self.assertEqual(requests.get(), 200)
"""
QUIET = "def get():\n    return 200\n"
CHATTY = """
import socket

def _tell():
    with socket.socket() as s:
        s.settimeout(0.2)
        s.connect_ex(("127.66.66.66", 4433))

def get():
    _tell()
    return 200
"""


def wheel(folder: Path, name: str, version: str, source: str) -> None:
    """A package with one module."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as made:
        made.writestr(f"{name}/__init__.py", source)
        made.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        made.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(
            f"{info}/RECORD",
            f"{name}/__init__.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
        )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    wheel(tmp_path, "requests", "2.31.0", QUIET)
    wheel(tmp_path, "requests", "2.32.0", CHATTY)
    (tmp_path / "test_app.py").write_text(TEST)
    (tmp_path / "old.lock").write_text("# pinned\nrequests==2.31.0\n")
    (tmp_path / "new.lock").write_text("requests==2.32.0 ; python_version > '3'\n")
    return tmp_path


def compare(
    project: Path, old: str, new: str, *command: str, options: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    environment = {"FSHIELD_LAYER": str(LAYER), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(project)}
    command = command or ("python", "-m", "unittest", "test_app")
    return subprocess.run(
        [sys.executable, SCRIPT, old, new, "--own", "test_app", "--json", *options, "--", *command],
        cwd=project,
        env=clean_environment(environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_what_the_newer_version_contacts_is_said(project: Path) -> None:
    done = compare(project, "old.lock", "new.lock")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout) == {
        "ok": False,
        "new": [
            "requests 2.31.0 to 2.32.0 now contacts 127.66.66.66:4433 "
            "(outbound_connectivity, once, asked by test_app through requests)"
        ],
    }
    assert not list(project.glob(".compare-*"))


def test_what_both_do_or_the_newer_no_longer_does_is_no_news(project: Path) -> None:
    done = compare(project, "new.lock", "old.lock")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"ok": True, "new": []}


def test_failing_tests_are_no_comparison(project: Path) -> None:
    done = compare(
        project, "old.lock", "new.lock", "python", "-c", "import sys; print('so'); sys.exit(3)"
    )
    assert done.returncode == 2 and done.stdout == ""
    assert "ended with status 3:\nso" in done.stderr


def test_a_lock_file_that_is_not_there(project: Path) -> None:
    done = compare(project, "none.lock", "new.lock")
    assert done.returncode == 2 and "error: none.lock: No such file or directory" in done.stderr


def test_the_logs_say_what_the_newer_version_may_and_did(project: Path) -> None:
    done = compare(project, "old.lock", "new.lock", options=("--logs", "logs"))
    assert done.returncode == 1, done.stderr
    (project / "shop.yaml").write_text(
        "version: 1\npolicy:\n  outbound_connectivity:\n    mode: block\n    allow:\n"
        "      - {host: api.rates.example, only_for: [requests]}\n"
    )
    words = ["diff", "--dependencies", "old.lock", "new.lock", "-p", "shop.yaml"]
    words += ["--log", "logs/new.log", "--old-log", "logs/old.log", "--own", "test_app"]
    diff = subprocess.run(
        [sys.executable, "-m", "fshield", *words],
        cwd=project,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert diff.returncode == 1, diff.stderr
    assert diff.stdout.splitlines()[-4:] == [
        "newer    requests 2.31.0 to 2.32.0",
        "  may    host: api.rates.example",
        "  did  + reach 127.66.66.66:4433: blocked, no rule allows it",
        "0 new, 1 changed, 0 gone, 0 as they were; 1 acts, 1 blocked, 1 not seen before",
    ]
