"""The address that the X-Ray daemon has at the start passes every policy, for datagrams and
connections."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.contract.helpers import OUTSIDE, PYTHON
from tests.support import Guarded, rules, run_guarded

POLICY = rules("block", "allow", "allow", "allow", runtime_api="block")
NAME = "AWS_XRAY_DAEMON_ADDRESS"
SEND = f"""
import os, socket, sys
ports = list(map(int, sys.argv[1:]))
def send(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.sendto(b"segment", ({OUTSIDE!r}, port))
def send_connected(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.connect(({OUTSIDE!r}, port))
        end.send(b"segment")
def connect(port):
    socket.create_connection(({OUTSIDE!r}, port), 3).close()
for way in (send, send_connected, connect):
    for port in ports:
        try:
            way(port)
            print(way.__name__, "passed")
        except PermissionError:
            print(way.__name__, "refused")
"""


@dataclass
class Daemon:
    """A daemon at an address that no rule allows, with one port for both protocols."""

    port: int
    datagrams: socket.socket
    connections: socket.socket

    def heard(self) -> int:
        """How many datagrams arrived."""
        count = 0
        self.datagrams.settimeout(0.5)
        while True:
            try:
                self.datagrams.recv(100)
            except TimeoutError:
                return count
            count += 1


def listen() -> Daemon:
    for _ in range(20):
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind((OUTSIDE, 0))
        port = datagrams.getsockname()[1]
        connections = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            connections.bind((OUTSIDE, port))
        except OSError:
            datagrams.close()
            connections.close()
            continue
        connections.listen(8)
        return Daemon(port, datagrams, connections)
    raise OSError("no port is free for both protocols")


@pytest.fixture
def daemons() -> Iterator[tuple[Daemon, Daemon]]:
    """Two servers. The second is not the X-Ray daemon."""
    pair = (listen(), listen())
    yield pair
    for daemon in pair:
        daemon.datagrams.close()
        daemon.connections.close()


def run(daemons: tuple[Daemon, Daemon], code: str, address: str | None) -> Guarded:
    env = {} if address is None else {NAME: address}
    ports = [str(daemon.port) for daemon in daemons]
    return run_guarded([PYTHON, "-c", code, *ports], policy=POLICY, env=env)


def passed(result: Guarded) -> list[str]:
    assert result.returncode == 0, result.stderr
    return result.stdout.split("\n")[:-1]


ONLY_THE_FIRST = [
    f"{way} {what}"
    for way in ("send", "send_connected", "connect")
    for what in ("passed", "refused")
]


# On Lambda the variable is HOST:PORT. X-Ray's own documentation has another form as well.
@pytest.mark.parametrize(
    "form",
    ["{host}:{port}", "tcp:{host}:{port} udp:{host}:{port}", "udp:{host}:{port} tcp:{host}:{port}"],
)
def test_the_daemon_and_nothing_beside_it(form: str, daemons: tuple[Daemon, Daemon]) -> None:
    xray, other = daemons
    result = run(daemons, SEND, form.format(host=OUTSIDE, port=xray.port))
    assert passed(result) == ONLY_THE_FIRST
    assert {event["details"]["port"] for event in result.of("outbound_connectivity")} == {
        other.port
    }
    assert (xray.heard(), other.heard()) == (2, 0)


def test_without_the_variable_neither(daemons: tuple[Daemon, Daemon]) -> None:
    assert {line.split()[1] for line in passed(run(daemons, SEND, None))} == {"refused"}
    assert [daemon.heard() for daemon in daemons] == [0, 0]


def test_the_function_cannot_name_another(daemons: tuple[Daemon, Daemon]) -> None:
    xray, other = daemons
    change = f"import os, sys\nos.environ[{NAME!r}] = '{OUTSIDE}:' + sys.argv[2]\n"
    assert passed(run(daemons, change + SEND, f"{OUTSIDE}:{xray.port}")) == ONLY_THE_FIRST
    assert other.heard() == 0


def test_nor_for_a_child(daemons: tuple[Daemon, Daemon]) -> None:
    xray, other = daemons
    child = (
        "import subprocess, sys\n"
        f"env = {{{NAME!r}: '{OUTSIDE}:' + sys.argv[2]}}\n"
        f"subprocess.run([sys.executable, '-c', {SEND!r}, *sys.argv[1:]], env=env, check=True)\n"
    )
    assert passed(run(daemons, child, f"{OUTSIDE}:{xray.port}")) == ONLY_THE_FIRST
    assert other.heard() == 0
