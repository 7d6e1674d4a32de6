"""The wheels of this tree, made once for all tests of a run: half a minute of processor."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.support import ROOT

TAGS = (
    "manylinux_2_17_x86_64",
    "manylinux_2_17_aarch64",
    "macosx_11_0_x86_64",
    "macosx_11_0_arm64",
)


@cache
def wheels() -> dict[str, Path]:
    """The wheel in dist/, by its tag."""
    make()
    return {tag: next((ROOT / "dist").glob(f"fshield-*-py3-none-{tag}.whl")) for tag in TAGS}


def make() -> None:
    """As ``make wheels``."""
    subprocess.run([sys.executable, "layer/wheel.py"], cwd=ROOT, check=True, capture_output=True)
