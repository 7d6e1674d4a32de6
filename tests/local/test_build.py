"""The layer is unpacked anew, wherever the old one lies."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

sys.path.insert(0, str(ROOT / "layer"))

import build

FILES = {"function-shield": (b"new", 0o755), "d/policy": (b"policy", 0o644)}


def renamed(source: str | Path, target: str | Path) -> None:
    """What overlayfs says of a folder that an image brought: `docker run … make demo` has one."""
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
