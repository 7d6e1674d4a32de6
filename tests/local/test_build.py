"""The layer is unpacked afresh, wherever the old one lies, and only what is asked for is built."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

sys.path.insert(0, str(ROOT / "layer"))

import build

FILES = {"function-shield": (b"new", 0o755), "d/policy": (b"policy", 0o644)}


def renamed(source: str | Path, target: str | Path) -> None:
    """overlayfs refuses to rename a folder that comes from an image, as in `docker run … make
    demo`."""
    if Path(source).name == "layer":
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source, None, target)
    _rename(source, target)


_rename = os.rename


@pytest.mark.parametrize("of_an_image", [False, True])
def test_it_replaces_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_an_image: bool
) -> None:
    folder = tmp_path / "layer"
    build.unpack({"function-shield": (b"old", 0o644), "gone": (b"", 0o644)}, folder)
    if of_an_image:
        monkeypatch.setattr(os, "rename", renamed)
    build.unpack(FILES, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["layer"]
    found = {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert found == FILES


@pytest.mark.parametrize(
    ("option", "zips"), [([], ["arm64", "x86_64"]), (["--host"], ["host"]), (["--unpacked"], [])]
)
def test_only_what_is_asked_for_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: list[str], zips: list[str]
) -> None:
    compiled = []
    host = build.host()

    def contents(architecture: str, *_: object) -> dict[str, tuple[bytes, int]]:
        compiled.append(architecture)
        return FILES

    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr("build.native.decide", lambda _: None)
    monkeypatch.setattr(build, "policies", dict)
    monkeypatch.setattr(build, "contents", contents)
    monkeypatch.setattr(sys, "argv", ["build.py", *option])
    build.main()
    assert sorted(compiled) == ([host] if option else sorted(build.ARCHITECTURES))
    assert (tmp_path / "build" / "layer" / "function-shield").read_bytes() == b"new"
    made = sorted(path.stem.rsplit("-", 1)[1] for path in tmp_path.glob("dist/*.zip"))
    assert made == [host if each == "host" else each for each in zips]


@pytest.mark.parametrize("lock", ["requirements-demo.lock", "requirements.lock"])
def test_both_halves_of_a_lock_are_the_lock(lock: str) -> None:
    """build.sh installs the compiler at the same time as the other packages."""
    (program,) = re.findall(
        r"awk -v wanted=\"\$1\" '(.*)' \"\$locks\"", (ROOT / "build.sh").read_text()
    )

    def half(wanted: str) -> list[str]:
        command = ["awk", "-v", f"wanted={wanted}", program, lock]
        return subprocess.check_output(command, cwd=ROOT, text=True).splitlines()

    only, other = half("--only"), half("--other")
    assert only[0].startswith("ziglang==") and all(line.startswith(" ") for line in only[1:])
    lines = (ROOT / lock).read_text().splitlines()
    assert sorted(only + other) == sorted(line for line in lines if not line.startswith("#"))
    assert len(only) > 1 and not any("ziglang" in line for line in other)
