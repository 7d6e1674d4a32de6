"""Descriptors from another process: a connection that nobody here judged is used only where its peer may be reached."""

from __future__ import annotations

import socket
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
    """Passes connections to the outside (o), to loopback (l), and unconnected sockets (u) to a guarded program."""
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
        result = launch([PYTHON, "-c", TAKE, place], env={"FUNCTION_SHIELD_POLICY": policy_file(rules(outbound))})
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
