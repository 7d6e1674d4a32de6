"""The import system gets a copy of an archive without the handler. Otherwise the copy reads the
same with zipfile and zipimport."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import zipfile
import zipimport
from pathlib import Path

import pytest

from tests.support import CORE, core_file

HARNESS = Path(__file__).parent / "harness" / "zip.c"
SECRET = b"SECRET = 'of the handler, as it is'\n"
HANDLERS = {
    "main.py": ["main.py", "main.pyc", "__pycache__/main.cpython-313.pyc"],
    "pkg/main.py": ["pkg/main.py", "pkg/__pycache__/main.cpython-39.pyc", "pkg/main.pyc"],
    "pkg/__init__.pyc": ["pkg/__init__.py", "pkg/__init__.pyc"],
}
OTHERS = ["mainly.py", "pkg/mainly.py", "other/main.py", "domain.py", "pkg/x.py", "main/x.py", "x"]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("zip") / "zip"
    command = [sys.executable, "-m", "ziglang", "cc", "-std=gnu11", "-O1", "-I", str(CORE)]
    command += ["-fsanitize=undefined", "-fno-sanitize-recover=undefined"]
    sources = [str(HARNESS), str(core_file("zip.c"))]
    subprocess.run([*command, *sources, "-o", str(made)], check=True)
    return made


def without(program: Path, given: bytes, *members: str) -> bytes | None:
    done = subprocess.run([program, *members], input=given, capture_output=True, check=False)
    assert done.returncode in (0, 1), done
    return done.stdout if done.returncode == 0 else None


def archive(names: list[str], packed: int, comment: bytes = b"", before: bytes = b"") -> bytes:
    made = io.BytesIO()
    made.write(before)
    with zipfile.ZipFile(made, "a", packed) as opened:
        for name in names:
            opened.writestr(name, SECRET if name not in OTHERS else f"name = {name!r}\n")
        opened.comment = comment
    return made.getvalue()


@pytest.mark.parametrize("member", HANDLERS)
@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n"], ids=["plain", "behind a script"])
@pytest.mark.parametrize("comment", [b"", b"PK\5\6" * 900], ids=["bare", "with a comment"])
def test_without_the_handler(
    program: Path, tmp_path: Path, member: str, packed: int, before: bytes, comment: bytes
) -> None:
    names = [*OTHERS, *HANDLERS[member]]
    random.Random(member).shuffle(names)
    given = archive(names, packed, comment, before)
    copy = without(program, given, member)
    if comment:
        # zipimport searches for the last end-of-archive signature. This comment has a false one, so
        # no Python can import from the archive.
        assert copy is None
        return
    assert copy is not None and len(copy) == len(given)
    assert SECRET not in copy
    with zipfile.ZipFile(io.BytesIO(copy)) as opened:
        assert opened.namelist() == names
        for name in OTHERS:
            assert opened.read(name) == f"name = {name!r}\n".encode()
        for name in HANDLERS[member]:
            with pytest.raises(zipfile.BadZipFile):
                opened.read(name)
    path = tmp_path / "copy.zip"
    path.write_bytes(copy)
    importer = zipimport.zipimporter(str(path))
    assert importer.get_source("domain") == "name = 'domain.py'\n"


def test_a_comment(program: Path) -> None:
    given = archive(["main.py", "x"], zipfile.ZIP_DEFLATED, b"made by somebody" * 100)
    copy = without(program, given, "main.py")
    assert copy is not None
    with zipfile.ZipFile(io.BytesIO(copy)) as opened:
        assert (opened.read("x"), opened.comment) == (b"name = 'x'\n", b"made by somebody" * 100)


def test_what_lies_between_entries(program: Path) -> None:
    """The bytes of a replaced entry are still in the archive, although no entry refers to them."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        opened.writestr("main.py", SECRET)
        opened.writestr("x", "x")
        del opened.NameToInfo["main.py"]
        opened.filelist.pop(0)
        opened.writestr("main.py", "another")
    assert SECRET in made.getvalue()
    copy = without(program, made.getvalue(), "main.py")
    assert copy is not None
    assert SECRET not in copy
    assert b"another" not in copy


def test_two_handlers(program: Path) -> None:
    given = archive(["main.py", "x", "pkg/main.py"], zipfile.ZIP_STORED)
    copy = without(program, given, "main.py", "pkg/main.py", "main.py")
    assert copy is not None
    assert SECRET not in copy
    assert b"name = 'x'" in copy


@pytest.mark.parametrize("member", ["main", "", "pkg/main"])
def test_no_module(program: Path, member: str) -> None:
    assert without(program, archive(["main.py"], zipfile.ZIP_STORED), member) is None


def test_damaged(program: Path) -> None:
    """Whatever the archive's lengths say, nothing beyond the archive is read or written."""
    given = archive([*OTHERS, "main.py"], zipfile.ZIP_STORED, b"comment")
    draw = random.Random(1)
    for _ in range(80):
        damaged = bytearray(given)
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(len(damaged) - 400, len(damaged))
            damaged[at] = draw.choice((0, 1, 0x7F, 0x80, 0xFF))
        if draw.randrange(4) == 0:
            del damaged[draw.randrange(len(damaged)) :]
        without(program, bytes(damaged), "main.py")
