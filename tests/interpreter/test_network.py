"""Sockets and names: the reason, the object and the caller. 127.66.66.66 plays the outside."""

from __future__ import annotations

import socket
import threading
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
    """In Python, only frames of awslambdaric may use the Runtime API. The event names any other
    caller."""
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


def test_the_clients_python_says_little(python: Path, tmp_path: Path) -> None:
    """A socket that connects through the client's frames may still belong to other code, because
    the client calls what others plant in it. Such a socket carries only what the client itself
    sends from Python.
    """
    package = tmp_path / "awslambdaric"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "client.py").write_text(
        "import http.client\n"
        "def restore(place):\n"
        "    made = http.client.HTTPConnection(place)\n"
        "    made.request('GET', '/2018-06-01/runtime/restore/next')\n"
        "    print(made.getresponse().status)\n"
    )
    main = """
import http.client, os, socket, _thread, threading
from awslambdaric import client
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
client.restore(host + ":" + port)
taken, done = socket.socket(), threading.Event()
taken.settimeout(5)
def connect(place):
    try:
        taken.connect(place)
    finally:
        done.set()
http.client.HTTPConnection = connect
_thread.start_new_thread(client.restore, ((host, int(port)),))
done.wait(5)
for line in ("GET /2018-06-01/runtime/invocation/next", "GET /2018-06-01/runtime/restore/next"):
    try:
        taken.send(f"{line} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n".encode())
        print(taken.recv(12))
    except OSError as error:
        print(type(error).__name__)
"""
    (package / "__main__.py").write_text(main)
    settle()
    with socket.create_server(("127.0.0.1", 0)) as api:
        threading.Thread(target=answer_all, args=(api,), daemon=True).start()
        env = {
            "PYTHONPATH": str(tmp_path),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.getsockname()[1]}",
        }
        done = run_guarded(
            [python, "-m", "awslambdaric"], policy=rules(runtime_api="block"), env=env
        )
    lines = [line for line in done.stdout.splitlines() if line]
    assert lines[:2] == ["200", "PermissionError"] and "200" not in " ".join(lines[2:]), done
    assert {event["policy"] for event in done.violations} == {"runtime_api"}


def answer_all(api: socket.socket) -> None:
    """Answer every request until the server is closed."""
    while True:
        try:
            connection, _ = api.accept()
        except OSError:
            return
        threading.Thread(target=answer_one, args=(connection,), daemon=True).start()


def answer_one(connection: socket.socket) -> None:
    with connection:
        while connection.recv(4096):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
