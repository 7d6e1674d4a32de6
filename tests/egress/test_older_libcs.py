"""Lookups under the C libraries of older Debian releases. Before glibc 2.34 the resolver is a
separate library, as in Lambda's Python 3.9 to 3.11 (glibc 2.26), and libc's DNS module calls it
through the doors.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import support
from tests.egress import places
from tests.egress.network import Network
from tests.libcs import matrix

SOURCE = Path(__file__).resolve().parent / "clients" / "older_lookups.c"
POLICY = support.rules(
    outbound={"mode": "block", "allow": [{"host": places.API}, {"host": places.MANY}]}
)
ROOTS = dict(matrix.real_libcs())


def test_they_are_here() -> None:
    if "census" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(","):
        assert len(ROOTS) >= 2


@pytest.fixture(scope="module")
def program() -> Path:
    out = support.ROOT / "build" / "older_lookups"
    command = [sys.executable, "-m", "ziglang", "cc", "-O1", str(SOURCE), "-o", str(out)]
    target = f"{platform.machine()}-linux-gnu.2.17"
    subprocess.run([*command, "-target", target], check=True)
    return out


@pytest.mark.parametrize("name", ROOTS)
def test_lookups_are_as_bare(network: Network, program: Path, name: str) -> None:
    if not matrix.can_enter():
        pytest.skip("no mount namespace can be made here")

    def looked_up(policy: dict[str, Any] | None, *asked: str) -> tuple[str, list[str], list[str]]:
        within = matrix.enter(ROOTS[name])
        done = network.run(
            [program, *asked], policy=policy, env={}, stdin="", within=within, timeout=60
        )
        assert done.result.returncode == 0, done
        messages = [event["message"] for event in done.result.violations]
        return done.result.stdout, done.arrived.queries, messages

    allowed = (places.API, places.MANY)
    bare, _, _ = looked_up(None, *allowed)
    assert bare.startswith("glibc 2.3") and bare.count("found") == 2 and "not found" not in bare
    # Nothing listens at these addresses.
    assert bare.count("connect: 0") == 1
    guarded, _, messages = looked_up(POLICY, *allowed)
    assert (guarded, messages) == (bare, [])
    thief, queries, messages = looked_up(POLICY, places.THIEF)
    assert thief.count("not found") == 3 and queries == [] and messages
