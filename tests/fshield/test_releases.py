"""An engine runs every compiled format of its major version: the policies of each release still decide."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from fshield.native import Compiled, read_compiled
from fshield.policy import Family, Mode

RELEASES = sorted((Path(__file__).parent / "releases").glob("*/*.policy"), key=str)
EXPECTED = {"default": Mode.BLOCK, "strict": Mode.BLOCK, "functionshield": Mode.BLOCK, "monitor": Mode.ALERT}


def test_there_are_some() -> None:
    assert {path.stem for path in RELEASES} == set(EXPECTED)


@pytest.mark.parametrize("path", RELEASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_still_decides(path: Path) -> None:
    policy = Compiled(read_compiled(path))
    outside = policy.decide(Family.OUTBOUND, ip=ipaddress.ip_address("192.0.2.7"), port=443)
    assert outside.mode == EXPECTED[path.stem]
    assert policy.decide(Family.TMP, path="/tmp/kept").mode == EXPECTED[path.stem]
