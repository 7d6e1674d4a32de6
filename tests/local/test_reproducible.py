"""The layer has the same bytes whatever the folder, time zone and locale of its build."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

sys.path.insert(0, str(ROOT / "layer"))

import build as built

ZIPS = {
    architecture: f"function-shield-layer-{architecture}.zip"
    for architecture in built.ARCHITECTURES
}


def copy(folder: Path) -> Path:
    """Copy what a layer is built from to `folder`, with today's times."""
    folder.mkdir(parents=True)
    for name in built.SOURCES:
        shutil.copytree(
            ROOT / name,
            folder / name,
            copy_function=shutil.copyfile,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    return folder


def build(folder: Path, **env: str) -> dict[str, str]:
    """Build in `folder`. Returns the hashes of both zips."""
    # zig caches our objects by the name of the folder, so they help no other build.
    zig = {"ZIG_LOCAL_CACHE_DIR": os.environ["ZIG_GLOBAL_CACHE_DIR"]}
    done = subprocess.run(
        [sys.executable, "layer/build.py"],
        cwd=folder,
        env={**os.environ, **zig, **env},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return sums(folder)


def sums(folder: Path) -> dict[str, str]:
    return {
        name: hashlib.sha256((folder / "dist" / name).read_bytes()).hexdigest()
        for name in ZIPS.values()
    }


def of_the_checkout() -> dict[str, str] | None:
    """The hashes of the zips in dist/. None if one is missing or was built from other sources."""
    now = built.sources()
    for architecture, name in ZIPS.items():
        recorded = built.made_of(architecture)
        if not (
            recorded.exists() and recorded.read_text() == now and (ROOT / "dist" / name).exists()
        ):
            return None
    return sums(ROOT)


def test_the_same_bytes_in_two_folders(tmp_path: Path) -> None:
    """In a copy, and in the checkout. A build of the checkout takes a minute, and is repeated only
    if necessary."""
    other = copy(tmp_path / "another folder" / "with a longer name")
    # Neither folder may reuse the other's results.
    assert not any((other / made).exists() for made in ("build", "dist"))
    first = of_the_checkout()
    if first is None:
        first = build(copy(tmp_path / "a"), TZ="UTC", LC_ALL="C", PYTHONHASHSEED="1")
    second = build(other, TZ="Asia/Tokyo", LC_ALL="C.UTF-8", PYTHONHASHSEED="2")
    assert first == second


def test_a_change_of_any_source_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zips built from other sources are not accepted."""
    folder = copy(tmp_path / "copy")
    monkeypatch.setattr(built, "ROOT", folder)
    before = built.sources()
    for name in ("fshield/errors.py", "layer/core/policy/policy.c", "policies/strict.yaml"):
        (folder / name).write_text((folder / name).read_text() + "\n")
        assert built.sources() != before
        before = built.sources()
    for architecture, name in ZIPS.items():
        (folder / "dist").mkdir(exist_ok=True)
        (folder / "dist" / name).touch()
        built.made_of(architecture).parent.mkdir(parents=True)
        built.made_of(architecture).write_text(before)
    assert of_the_checkout() is not None
    (folder / "policies" / "more.yaml").touch()
    assert of_the_checkout() is None
