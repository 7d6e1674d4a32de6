"""The launcher's own replacements of libc functions behave like libc's."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.support import LAUNCHER, ROOT

LIBC = ROOT / "wrapper" / "libc"
HARNESS = Path(__file__).parent / "harness" / "strings.c"
ZIG = (sys.executable, "-m", "ziglang", "cc", "-std=gnu11", "-D_GNU_SOURCE")
NAMES = re.findall(r"^[a-z].*?\b\*?(\w+)\(.*\)(?: \{.*)?$", (LIBC / "strings.c").read_text(), re.M)


def differs(folder: Path, text: str) -> str:
    """The first function that, according to the harness, differs from libc's; "" if none does."""
    source = folder / "strings.c"
    source.write_text(text)
    renamed = [f"-D{name}=own_{name}" for name in NAMES]
    own, program = folder / "own.o", folder / "program"
    subprocess.run(
        [*ZIG, "-Os", "-ffreestanding", *renamed, "-c", str(source), "-o", str(own)], check=True
    )
    subprocess.run(
        [*ZIG, "-O0", "-fno-builtin", str(HARNESS), str(own), "-o", str(program)], check=True
    )
    return subprocess.run([program], capture_output=True, text=True, check=False).stdout.strip()


def test_its_strings_are_those_of_libc(tmp_path: Path) -> None:
    assert len(NAMES) == len(re.findall(r"^[a-z].*own_\w+\(.*;$", HARNESS.read_text(), re.M))
    assert differs(tmp_path, (LIBC / "strings.c").read_text()) == ""


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("memmove", "to < from", "1"),
        ("strcmp", "(unsigned char)*one - (unsigned char)*two", "*one - *two"),
        ("strcspn", "!strchr(ends, text[size])", "text[size] != *ends"),
    ],
)
def test_the_harness_sees_a_difference(tmp_path: Path, name: str, right: str, wrong: str) -> None:
    text = (LIBC / "strings.c").read_text()
    assert text.count(right) == 1
    assert differs(tmp_path, text.replace(right, wrong)) == name


def test_its_errors_are_worded_as_those_of_libc() -> None:
    text = (LIBC / "calls.c").read_text()
    known = dict(re.findall(r'^ +\{(E\w+), "(.*)"\},$', text, re.MULTILINE))
    assert len(known) > 15
    assert known == {name: os.strerror(getattr(errno, name)) for name in known}


def test_it_is_static() -> None:
    with LAUNCHER.open("rb") as file:
        elf = ELFFile(file)
        kinds = {segment["p_type"] for segment in elf.iter_segments()}
        assert elf["e_type"] == "ET_EXEC"
    assert "PT_LOAD" in kinds
    assert not kinds & {"PT_INTERP", "PT_DYNAMIC", "PT_TLS"}
