"""An engine runs every compiled format of its major version: the policies of each release still
work."""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path

import pytest

from fshield.engine import binary
from fshield.engine.decide import Compiled, read_compiled
from fshield.language.policy import Family, Mode
from tests.support import ROOT, run_guarded

RELEASES = sorted((Path(__file__).parent / "releases").glob("*/*.policy"), key=str)
EXPECTED = {
    "default": Mode.BLOCK,
    "strict": Mode.BLOCK,
    "functionshield": Mode.BLOCK,
    "monitor": Mode.ALERT,
}
EXPECTED["services"] = (
    Mode.BLOCK
)  # names by service, and a bucket with a variable in its name: needs format 1.1


def test_there_are_some() -> None:
    assert {path.stem for path in RELEASES} == set(EXPECTED)
    formats = {struct.unpack_from("<HH", path.read_bytes(), len(binary.MAGIC)) for path in RELEASES}
    assert formats == {(binary.MAJOR, minor) for minor in range(binary.MINOR + 1)}, (
        "each format has a fixture"
    )


_each = pytest.mark.parametrize(
    "path", RELEASES, ids=lambda path: f"{path.parent.name}-{path.stem}"
)
# An act that every one of these policies judges, and the kernel's error if it is let through.
_ACT = """
try: open("/tmp/function-shield-test-none-such")
except OSError as error: print(type(error).__name__)
"""


@_each
def test_still_decides(path: Path) -> None:
    policy = Compiled(read_compiled(path))
    outside = policy.decide(Family.OUTBOUND, ip=ipaddress.ip_address("192.0.2.7"), port=443)
    assert outside.mode == EXPECTED[path.stem]
    assert policy.decide(Family.TMP, path="/tmp/kept").mode == EXPECTED[path.stem]


@_each
def test_still_guards(path: Path) -> None:
    """Launcher and core accept the file as released, and enforce it."""
    done = run_guarded(
        [ROOT / ".venv" / "bin" / "python", "-c", _ACT],
        policy="",
        env={"FUNCTION_SHIELD_POLICY": str(path)},
    )
    blocks = EXPECTED[path.stem] == Mode.BLOCK
    assert done.stdout == ("PolicyViolation" if blocks else "FileNotFoundError") + "\n", done
    assert [event["mode"] for event in done.of("read_write_tmp")] == [
        "block" if blocks else "alert"
    ]
    assert [event["event"] for event in done.events].count("armed") == 1
