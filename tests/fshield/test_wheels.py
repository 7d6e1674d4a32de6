"""``make wheels``: the wheels that people and build machines install contain the engine's own
``decide``."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests import wheels as made
from tests.support import ROOT


@pytest.fixture(scope="module")
def wheels() -> dict[str, Path]:
    found = made.wheels()
    assert any(tag.startswith("manylinux") for tag in found)
    return found


def test_every_record_is_true(wheels: dict[str, Path]) -> None:
    for wheel in wheels.values():
        with zipfile.ZipFile(wheel) as opened:
            (record,) = (
                name
                for name in opened.namelist()
                if name.endswith(".dist-info/RECORD") and name.count("/") == 1
            )
            rows = {
                row[0]: row[1:] for row in csv.reader(io.StringIO(opened.read(record).decode()))
            }
            assert set(rows) == set(opened.namelist())
            for name, (digest, size) in rows.items():
                if name != record:
                    data = opened.read(name)
                    found = (
                        base64.urlsafe_b64encode(hashlib.sha256(data).digest())
                        .rstrip(b"=")
                        .decode()
                    )
                    assert (digest, int(size)) == (f"sha256={found}", len(data)), name


def test_each_has_the_library_of_its_machine(wheels: dict[str, Path]) -> None:
    machines = {"x86_64": "x64", "aarch64": "AArch64"}
    for tag, wheel in wheels.items():
        with zipfile.ZipFile(wheel) as opened:
            library = next(
                name for name in opened.namelist() if name.startswith("fshield/_native/")
            )
            code = opened.read(library)
        if tag.startswith("manylinux"):
            assert (
                ELFFile(io.BytesIO(code)).get_machine_arch()
                == machines[tag.removeprefix("manylinux_2_17_")]
            )
        else:
            assert code[:4] == b"\xcf\xfa\xed\xfe", "64-bit Mach-O"


def test_the_same_bytes_again(wheels: dict[str, Path]) -> None:
    before = {tag: wheel.read_bytes() for tag, wheel in wheels.items()}
    made.make()
    assert before == {tag: wheel.read_bytes() for tag, wheel in wheels.items()}


@pytest.mark.skipif(sys.platform != "linux", reason="installs the wheel for Linux")
def test_an_installed_wheel_asks_the_engine(wheels: dict[str, Path], tmp_path: Path) -> None:
    tag = f"manylinux_2_17_{platform.machine()}"
    target = tmp_path / "site"
    with zipfile.ZipFile(wheels[tag]) as opened:
        opened.extractall(target)
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from fshield.cli.app import main; main()"
    )
    policy = ROOT / "policies" / "strict.yaml"
    environment = {name: value for name, value in os.environ.items() if name != "FSHIELD_DECIDE"}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-c", *arguments]
        result = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout.strip()

    run(program, str(target), "test", str(policy))
    run(program, str(target), "new", str(tmp_path / "policies"))
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from fshield.engine import decide;"
        " print(decide.library()._name)"
    )
    assert run(code, str(target)) == str(target / "fshield" / "_native" / "libdecide.so")
