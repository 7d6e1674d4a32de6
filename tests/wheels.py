"""The wheels of this tree, built only once for all tests of a run, because that takes half a minute
of CPU time."""

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
    """The wheels in dist/, by their tags."""
    make()
    return {tag: next((ROOT / "dist").glob(f"fshield-*-py3-none-{tag}.whl")) for tag in TAGS}


def make() -> None:
    """Run ``make wheels``."""
    subprocess.run([sys.executable, "layer/wheel.py"], cwd=ROOT, check=True, capture_output=True)
