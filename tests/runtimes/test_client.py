"""The runtime client connects whatever other threads and signal handlers do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fshield.local.emulator import free_ports
from tests import support
from tests.support import Guarded, run_guarded

SOURCE = Path(__file__).with_name("clients.c")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The program, and the stand-in for the client: its name is what the guard knows it by."""
    folder = tmp_path_factory.mktemp("clients")
    program, library = folder / "clients", folder / "runtime_client.so"
    subprocess.run(["gcc", "-O1", SOURCE, "-o", program, "-pthread", "-ldl"], check=True)
    subprocess.run(
        ["gcc", "-O1", "-DCLIENT", "-shared", "-fPIC", SOURCE, "-o", library], check=True
    )
    support.settle()
    return program, library


def run(programs: tuple[Path, Path], *words: str) -> Guarded:
    (port,) = free_ports(1)
    return run_guarded(
        [programs[0], programs[1], str(port), *words],
        policy=support.rules(runtime_api="block", tmp="block"),
        env={"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"},
        timeout=120,
    )


def test_it_connects_while_other_threads_fork(programs: tuple[Path, Path]) -> None:
    """Before a fork the guard copies each socket for a moment: not the program's copies."""
    done = run(programs, "fork", "-")
    assert (done.stdout, done.violations) == ("failed: 0\n", []), done.stderr


@pytest.mark.parametrize(("what", "says"), [("-", " closed: 0\n"), ("open", "opened, closed: 0\n")])
def test_a_signal_handler_jumps_out_of_its_connect(
    programs: tuple[Path, Path], what: str, says: str
) -> None:
    done = run(programs, "jump", what)
    assert (done.stdout, done.violations) == (says, []), done.stderr
