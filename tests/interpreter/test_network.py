"""Sockets and names: the reason, the object and who asked. 127.66.66.66 plays the outside."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support import rules, run_guarded, settle

BLOCK = rules(outbound="block")
ALERT = rules(outbound="alert")

ACTS = [
    ("socket.create_connection(('127.66.66.66', 9), 1)", "127.66.66.66", 9, "tcp"),
    ("socket.socket().connect(('127.66.66.66', 9))", "127.66.66.66", 9, "tcp"),
    ("socket.socket().connect_ex(('127.66.66.66', 9))", "127.66.66.66", 9, "tcp"),
    ("socket.socket().connect(('127.4342338', 9))", "127.66.66.66", 9, "tcp"),
    (
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.66.66.66', 53))",
        "127.66.66.66",
        53,
        "udp",
    ),
    (
        "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('127.66.66.66', 53))",
        "127.66.66.66",
        53,
        "udp",
    ),
    (
        "socket.socket(socket.AF_INET6).connect(('::ffff:127.66.66.66', 9))",
        "127.66.66.66",
        9,
        "tcp",
    ),
    ("socket.socket(socket.AF_INET6).connect(('2001:db8::7', 9, 0, 0))", "2001:db8::7", 9, "tcp"),
    ("urllib.request.urlopen('http://127.66.66.66/')", "127.66.66.66", 80, "tcp"),
]
NAMES = [
    ("socket.getaddrinfo('evil.example', 443)", 443),
    ("socket.getaddrinfo(b'evil.example', 'https')", 443),
    ("socket.gethostbyname('evil.example')", None),
    ("socket.create_connection(('evil.example', 443))", 443),
    ("http.client.HTTPConnection('evil.example').request('GET', '/')", 80),
]

PROGRAM = """
import http.client, socket, sys, urllib.request, urllib.error
try:
    {act}
except OSError as error:
    error = getattr(error, "reason", None) if isinstance(error, urllib.error.URLError) else error
    print(type(error).__name__, error.policy, error.errno)
    sys.exit()
print("done")
"""


@pytest.mark.parametrize(("act", "ip", "port", "protocol"), ACTS, ids=[act[0] for act in ACTS])
def test_block_address(python: Path, act: str, ip: str, port: int, protocol: str) -> None:
    done = run_guarded([python, "-c", PROGRAM.format(act=act)], policy=BLOCK)
    assert done.stdout == "PolicyViolation outbound_connectivity 13\n", done
    (event,) = done.violations
    details = event["details"]
    assert (event["ring"], details["ip"], details["port"], details["protocol"]) == (
        "interpreter",
        ip,
        port,
        protocol,
    )


@pytest.mark.parametrize(("act", "port"), NAMES, ids=[act[0] for act in NAMES])
def test_block_name(python: Path, act: str, port: int | None) -> None:
    done = run_guarded([python, "-c", PROGRAM.format(act=act)], policy=BLOCK)
    assert done.stdout == "PolicyViolation outbound_connectivity 13\n", done
    (event,) = done.violations
    assert event["ring"] == "interpreter"
    assert event["details"]["host"] == "evil.example"
    assert event["details"]["port"] == port


@pytest.mark.parametrize(
    "kind",
    [
        "socket.AF_INET, socket.SOCK_RAW, 1",
        "socket.AF_PACKET, socket.SOCK_RAW",
        "40, socket.SOCK_STREAM",
    ],
)
def test_block_family(python: Path, kind: str) -> None:
    done = run_guarded([python, "-c", PROGRAM.format(act=f"socket.socket({kind})")], policy=BLOCK)
    assert done.stdout == "PolicyViolation outbound_connectivity 13\n", done
    (event,) = done.violations
    assert (event["ring"], event["reason"]) == ("interpreter", "socket_family")


def test_alert_is_one_event(python: Path) -> None:
    with socket.create_server(("127.66.66.66", 0)) as sink:
        port = sink.getsockname()[1]
        act = f"socket.create_connection(('127.66.66.66', {port})).close()"
        done = run_guarded([python, "-c", PROGRAM.format(act=act)], policy=ALERT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    (event,) = done.violations
    assert (event["mode"], event["ring"], event["origin"]["distribution"]) == (
        "alert",
        "interpreter",
        "__main__",
    )


def test_loopback_passes(python: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sink:
        port = sink.getsockname()[1]
        for host in ("127.0.0.1", "localhost", ""):
            act = f"s = socket.socket(); s.connect(({host!r}, {port}))"
            done = run_guarded([python, "-c", PROGRAM.format(act=act)], policy=BLOCK)
            assert (done.stdout, done.violations) == ("done\n", []), host


def test_the_runtime_api_is_the_clients(python: Path, tmp_path: Path) -> None:
    """From Python it answers the frames of awslambdaric alone, and the event says who else
    asked."""
    package = tmp_path / "awslambdaric"
    package.mkdir()
    body = """
import http.client, os
def ask():
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"], timeout=5)
    try:
        connection.connect()
        print(__name__, "connected")
    except PermissionError:
        print(__name__, "refused")
"""
    (package / "__init__.py").write_text("")
    (package / "client.py").write_text(body)
    main = (
        "from awslambdaric import client; import"
        " other\nclient.ask()\nother.ask()\nother.through(client)\n"
    )
    (package / "__main__.py").write_text(main)
    (tmp_path / "other.py").write_text(body + "def through(client): client.ask()\n")
    settle()
    with socket.create_server(("127.0.0.1", 0)) as api:
        env = {
            "PYTHONPATH": str(tmp_path),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.getsockname()[1]}",
        }
        done = run_guarded(
            [python, "-m", "awslambdaric"], policy=rules(runtime_api="block"), env=env
        )
    assert (
        done.stdout == "awslambdaric.client connected\nother refused\nawslambdaric.client refused\n"
    ), done
    assert {event["policy"] for event in done.violations} == {"runtime_api"}
    assert "other" in {event["origin"]["distribution"] for event in done.violations}
