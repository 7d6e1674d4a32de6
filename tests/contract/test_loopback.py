"""`loopback:` restricts what is otherwise always let through: with it, 127.0.0.1 and ::1 need a
port that it lists."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.contract.helpers import PYTHON, launch
from tests.support import Guarded, policy_file, rules

TRY = """
import socket, sys
for place in sys.argv[1:]:
    host, _, port = place.rpartition("/")
    try:
        socket.create_connection((host, int(port)), 5).close()
        print("reached")
    except PermissionError:
        print("refused")
    except OSError as error:
        print("failed")
"""


@pytest.fixture
def port() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def reach(outbound: Any, *places: str, env: dict[str, str] | None = None) -> Guarded:
    given = {"FUNCTION_SHIELD_POLICY": policy_file(rules(outbound)), **(env or {})}
    return launch([PYTHON, "-c", TRY, *places], env=given)


def test_left_out_every_port_is_let_through(port: int) -> None:
    assert reach({"mode": "block"}, f"127.0.0.1/{port}").stdout == "reached\n"


@pytest.mark.parametrize(
    "spelled", ["127.0.0.1", "localhost", "0.0.0.0", "::ffff:127.0.0.1", "127.1"]
)
def test_only_what_is_listed(port: int, spelled: str) -> None:
    outbound = {"mode": "block", "loopback": [port]}
    result = reach(outbound, f"{spelled}/{port}", f"{spelled}/1", "::1/1")
    assert result.stdout == "reached\nrefused\nrefused\n"
    assert [event["reason"] for event in result.violations] == ["port", "port"]


@pytest.mark.parametrize("listed", [[], [1], ["1-2"]])
def test_nothing_else(port: int, listed: list[Any]) -> None:
    result = reach({"mode": "block", "loopback": listed}, f"127.0.0.1/{port}", f"127.66.0.1/{port}")
    assert result.stdout == "refused\nrefused\n"
    result = reach({"mode": "alert", "loopback": listed}, f"127.0.0.1/{port}")
    assert result.stdout == "reached\n" and [event["mode"] for event in result.violations] == [
        "alert"
    ]


def test_an_entry_for_the_address(port: int) -> None:
    """The entry works beside `loopback`, as for any other address."""
    outbound = {
        "mode": "block",
        "loopback": [],
        "allow": [{"cidr": "127.0.0.1/32", "ports": [port]}],
    }
    assert reach(outbound, f"127.0.0.1/{port}").stdout == "reached\n"


def test_xray_and_the_runtime_api_are_none_of_it(port: int) -> None:
    env = {"AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{port}"}
    assert (
        reach({"mode": "block", "loopback": []}, f"127.0.0.1/{port}", env=env).stdout == "reached\n"
    )
