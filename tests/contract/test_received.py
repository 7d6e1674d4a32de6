"""Fds from another process. A connection that was not judged here can be used only if its peer may
be reached."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.sinks import OUTSIDE
from tests.contract.helpers import PYTHON, launch
from tests.support import SCRATCH, Event, policy_file, rules

TAKE = """
import os, socket, sys
near = socket.socket(socket.AF_UNIX)
near.connect(sys.argv[1])
said, fds, flags, _ = socket.recv_fds(near, 10, 4)
print(said.decode(), len(fds), bool(flags & socket.MSG_CTRUNC))
for fd in fds:
    try:
        print(os.write(fd, b"taken"))
    except OSError as error:
        print(type(error).__name__)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    SCRATCH.mkdir(parents=True, exist_ok=True)
    path = SCRATCH / f"received-{threading.get_ident():x}"
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)


def take(place: Path, outbound: Any, kinds: str) -> tuple[list[str], bytes, list[Event]]:
    """Pass sockets to a guarded program: connections to the outside (o), to loopback (l), and
    unconnected sockets (u)."""
    with (
        socket.create_server((OUTSIDE, 0)) as outside,
        socket.create_server(("127.0.0.1", 0)) as inside,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        place.unlink(missing_ok=True)
        listener.bind(str(place))
        listener.listen()
        made: dict[str, Callable[[], socket.socket]] = {
            "o": lambda: socket.create_connection(outside.getsockname()),
            "l": lambda: socket.create_connection(inside.getsockname()),
            "u": socket.socket,
        }
        sockets = [made[kind]() for kind in kinds]

        def give() -> None:
            peer, _ = listener.accept()
            socket.send_fds(peer, [b"here"], [one.fileno() for one in sockets])
            peer.close()

        thread = threading.Thread(target=give)
        thread.start()
        result = launch(
            [PYTHON, "-c", TAKE, place],
            env={"FUNCTION_SHIELD_POLICY": policy_file(rules(outbound))},
        )
        thread.join()
        for one in sockets:
            one.close()
        heard = b""
        if "o" in kinds:
            peer, _ = outside.accept()
            heard = peer.recv(100)
        return result.stdout.splitlines(), heard, result.violations


def test_to_where_it_may_not_go(place: Path) -> None:
    lines, heard, events = take(place, "block", "o")
    assert (lines, heard) == (["here 0 True"], b"")
    assert [(event["reason"], event["mode"]) for event in events] == [("no_rule", "block")]


def test_one_of_several(place: Path) -> None:
    lines, heard, _ = take(place, "block", "lo")
    assert (lines, heard) == (["here 0 True"], b"")


def test_to_where_it_may_go(place: Path) -> None:
    lines, _, events = take(place, "block", "l")
    assert (lines, events) == (["here 1 False", "5"], [])
    outbound = {"mode": "block", "allow": [{"cidr": f"{OUTSIDE}/32", "ports": ["1-65535"]}]}
    lines, heard, events = take(place, outbound, "o")
    assert (lines, heard, events) == (["here 1 False", "5"], b"taken", [])


def test_alert_changes_nothing(place: Path) -> None:
    lines, heard, events = take(place, "alert", "o")
    assert (lines, heard) == (["here 1 False", "5"], b"taken")
    assert [event["mode"] for event in events] == ["alert"]


def test_what_the_sender_may_connect_later(place: Path) -> None:
    lines, _, events = take(place, "block", "u")
    assert lines == ["here 1 False", "PermissionError"]
    assert [event["details"]["first_bytes"] for event in events] == ["inherited"]


MANY = """
import os, resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
near, far = socket.socketpair()
def passed(kind, times):
    for _ in range(times):
        with socket.socket(type=kind) as one:
            socket.send_fds(near, [b"."], [one.fileno()])
        for fd in socket.recv_fds(far, 1, 1)[1]:
            os.close(fd)
def still(fds):
    here = 0
    for one in fds:
        here += os.fstat(one.fileno()).st_ino > 0
    return here
def forks():
    try:
        pid = os.fork()
    except OSError as error:
        return type(error).__name__
    if pid == 0:
        os._exit(0)
    return os.waitpid(pid, 0)[1]
"""


def many(mode: str, code: str) -> tuple[list[str], list[Event]]:
    policy = policy_file(rules({"mode": mode, "allow": [{"host": "api.allowed.example"}]}))
    env = {"FUNCTION_SHIELD_POLICY": policy}
    result = launch([PYTHON, "-c", MANY + code], env=env, timeout=60)
    return result.stdout.splitlines(), result.violations


@pytest.mark.parametrize("kind", ["STREAM", "DGRAM"])
def test_what_was_passed_and_closed_takes_no_room(kind: str) -> None:
    """Otherwise the guard has no room left for a later socket of the program's own."""
    code = f"""
passed(socket.SOCK_{kind}, 1500)
kept = [socket.socket(type=socket.SOCK_{kind}) for _ in range(50)]
print(forks(), still(kept))
passed(socket.SOCK_{kind}, 1)
"""
    assert many("block", code) == (["0 50"], [])


def test_threads_that_copy_other_fds_take_no_room() -> None:
    """A forking server was once refused sockets, because the guard's walk over its fds did not
    end."""
    program = SCRATCH / "copies"
    SCRATCH.mkdir(parents=True, exist_ok=True)
    flags = ["-w", "-O1", "-D_GNU_SOURCE", "-pthread"]
    source = Path(__file__).with_name("copies.c")
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", *flags, source, "-o", program], check=True
    )
    policy = policy_file(rules({"mode": "block", "allow": [{"host": "api.allowed.example"}]}))
    result = launch([program, "4000"], env={"FUNCTION_SHIELD_POLICY": policy}, timeout=60)
    assert (result.stdout.split(), result.violations) == (["4000"], [])


@pytest.mark.parametrize(("mode", "expected"), [("block", "BlockingIOError"), ("alert", "0")])
def test_more_sockets_than_can_be_remembered(mode: str, expected: str) -> None:
    """The guard lets no process start that would share the sockets. The program keeps them."""
    code = """
kept = [socket.socket() for _ in range(1100)]
print(forks(), still(kept))
os.closerange(kept[10].fileno(), 4096)
print(forks(), still(kept[:10]))
os._exit(sys.stdout.flush() or 0)
"""
    lines, events = many(mode, code)
    assert lines == [f"{expected} 1100", "0 10"]
    assert {(event["mode"], event["details"]["first_bytes"]) for event in events} == {
        (mode, "too_many")
    }
