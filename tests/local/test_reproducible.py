"""The layer is the same bytes in whatever folder, time zone and locale it is built."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support import ROOT

SOURCES = ("fshield", "layer", "policies", "wrapper")
ZIPS = ("function-shield-layer-x86_64.zip", "function-shield-layer-arm64.zip")
# Where build.sh lets zig keep its own libcs. What it keeps of ours goes by the folder's name and
# helps no other build.
ZIG_CACHE = (
    Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "function-shield" / "zig"
)


def copy(folder: Path) -> Path:
    """What a layer is built from, in `folder`, with the times of today."""
    folder.mkdir(parents=True)
    for name in SOURCES:
        shutil.copytree(
            ROOT / name,
            folder / name,
            copy_function=shutil.copyfile,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    return folder


def build(folder: Path, **env: str) -> dict[str, str]:
    """Build in `folder`; the sums of both zips."""
    cache = os.environ.get("ZIG_GLOBAL_CACHE_DIR", str(ZIG_CACHE))
    zig = {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    done = subprocess.run(
        [sys.executable, "layer/build.py"],
        cwd=folder,
        env={**os.environ, **zig, **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {
        name: hashlib.sha256((folder / "dist" / name).read_bytes()).hexdigest() for name in ZIPS
    }


def test_the_same_bytes_in_two_folders(tmp_path: Path) -> None:
    one, other = copy(tmp_path / "a"), copy(tmp_path / "another folder" / "with a longer name")
    # No folder may have had the other's work done for it, and neither the checkout's.
    assert not any(
        (folder / made).exists() for folder in (one, other) for made in ("build", "dist")
    )
    first = build(one, TZ="UTC", LC_ALL="C", PYTHONHASHSEED="1")
    second = build(other, TZ="Asia/Tokyo", LC_ALL="C.UTF-8", PYTHONHASHSEED="2")
    assert first == second
