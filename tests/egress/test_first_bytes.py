"""The first bytes of a connection to an allowed name: what the events say, and a second
ClientHello. The roads out are in roads.yaml."""

from __future__ import annotations

import pytest

from tests.egress import places
from tests.egress.dialling import THIEF, act
from tests.egress.network import Network


def test_kernel_tls_would_send_something_else(network: Network) -> None:
    """Not every kernel supports it. The guard refuses before the kernel could."""
    run = act(
        network, "s = dial(); s.setsockopt(socket.IPPROTO_TCP, 31, b'tls'); s.send(GOOD)", "block"
    )
    assert (run.bytes_arrived, run.words) == (0, {("block", "unseen")}), run.result.stderr


def test_what_the_event_says(network: Network) -> None:
    run = act(network, "dial().send(BAD)", "block")
    (event,) = run.result.violations
    assert (event["policy"], event["reason"]) == ("outbound_connectivity", "server_name")
    assert event["details"]["host"] == THIEF and event["details"]["connected_as"] == places.API
    assert (event["details"]["port"], event["details"]["protocol"]) == (443, "tcp")
    assert event["rule"].startswith("test.yaml:") and event["rule"] in event["message"]
    assert "PermissionError" in run.result.stderr
    (event,) = act(network, "dial().send(RAW)", "block").result.violations
    assert (event["reason"], event["details"]["host"]) == ("tls", places.API)


def test_it_stays_cut(network: Network) -> None:
    code = """
s = dial()
for said in (RAW, GOOD, RAW):
    try:
        s.send(said)
        print("sent")
    except OSError as error:
        print(type(error).__name__)
"""
    run = act(network, code, "block")
    assert (
        run.bytes_arrived == 0
        and run.result.stdout.splitlines()[0] == "PermissionError"
        and "sent" not in run.result.stdout
    )


SECOND = """
s = dial()
s.send(GOOD)
try:
    s.send({second})
    print("sent")
except OSError as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("BAD", "PermissionError"),
        ("hellos.record(b'\\1', 0x14) + BAD", "PermissionError"),
        ("hellos.record(b'\\1\\x5a', 0x15) + BAD", "PermissionError"),
        ("BAD[:3]), s.send(BAD[3:]", "PermissionError"),
        ("GOOD", "sent"),
        ("hellos.record(b'\\1', 0x14)", "sent"),
        ("hellos.record(b'x' * 60, 0x17)", "sent"),
    ],
)
def test_a_second_greeting(network: Network, second: str, expected: str) -> None:
    """As after HelloRetryRequest: a server may use the name in the second ClientHello."""
    assert act(network, SECOND.format(second=second), "block").result.stdout.strip() == expected


def test_a_second_greeting_behind_records_that_servers_pass_over(network: Network) -> None:
    run = act(network, SECOND.format(second="hellos.record(b'\\1', 0x14)") + "s.send(BAD)", "block")
    assert run.words == {("block", "other_server_name")}
