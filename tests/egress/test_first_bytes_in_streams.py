"""Whole ClientHellos, requests and bodies are sent, however the caller splits its writes. No
request can hide in a body."""

from __future__ import annotations

import sys

import pytest

from tests import support
from tests.egress import places
from tests.egress.dialling import ENTRIES, PRELUDE, act
from tests.egress.network import Network
from tests.support import rules

KEPT = """
import threading
HOST = PROXY[0]
listener = socket.create_server((socket.gethostbyname(HOST), 80))
heard = bytearray()
def hear():
    peer = listener.accept()[0]
    while more := peer.recv(65536):
        heard.extend(more)
thread = threading.Thread(target=hear)
thread.start()
s = dial(HOST, 80)
def go(*pieces):
    try:
        for piece in pieces:
            s.sendall(piece)
        print("sent")
    except OSError as error:
        print(type(error).__name__)
def end():
    s.close()
    thread.join()
    print(len(heard), THIEF.encode() in heard)
begin = b"POST /a HTTP/1.1\\r\\nHost: " + HOST.encode()
post = begin + b"\\r\\nContent-Length: 50000\\r\\n\\r\\n"
chunked = begin + b"\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
"""
KEPT_POLICY = {"allow": [{"host": places.PROXY_NAME, "ports": [80]}]}


def kept(network: Network, code: str, mode: str) -> support.Guarded:
    policy = rules({"mode": mode, **KEPT_POLICY})
    argv = [sys.executable, "-c", PRELUDE + KEPT + code + "\nend()"]
    return network.run(argv, policy=policy, env={"PYTHONPATH": str(support.ROOT)}, stdin="").result


SPLIT = """
import http.client, threading
s = dial(); s.send(GOOD[:60]); time.sleep(.1)
print(s.send(GOOD[60:]) == len(GOOD) - 60, len(s.recv(9)))
s = dial(); print(sum(s.send(GOOD[i:i + 1]) for i in range(len(GOOD))) == len(GOOD), len(s.recv(9)))
s = dial(); s.send(GOOD[:60]); t = s.dup(); s.close(); t.send(GOOD[60:]); print(len(t.recv(9)))
s = dial(); s.setblocking(False); [s.send(GOOD[i:i + 7]) for i in range(0, len(GOOD), 7)]
s.settimeout(5); print(len(s.recv(9)))
s = dial(); s.sendmsg([GOOD[:9]]); os.writev(s.fileno(), [GOOD[9:10], GOOD[10:]])
print(len(s.recv(9)))
s = dial(PLAIN, 80); [s.send(bytes([byte])) for byte in request(PLAIN)]; print(s.recv(15))
s = dial(PLAIN, 80); s.send(request(PLAIN)[:40], socket.MSG_MORE)
s.send(request(PLAIN)[40:]); print(s.recv(15))
count, many = 1500, request(PLAIN) * 1500
s = dial(PLAIN, 80)
out = threading.Thread(target=s.sendall, args=(many,)); out.start()
heard = b""
while heard.count(b"HTTP/1.1 200") < count and (more := s.recv(65536)):
    heard += more
print(len(many) > 65536, heard.count(b"HTTP/1.1 200"))
"""


def test_a_stream_is_read_as_one_however_it_is_cut(network: Network) -> None:
    bare = act(network, SPLIT, None)
    assert bare.result.stdout.splitlines()[-1] == "True 1500", bare.result
    for mode in ("block", "alert"):
        run = act(network, SPLIT, mode)
        assert (run.result.stdout, run.result.violations) == (bare.result.stdout, []), (
            mode,
            run.result,
        )


def test_requests_on_a_kept_connection(network: Network) -> None:
    code = """
go(request(HOST))
go(post, b"x" * 40000, b"x" * 9999, b"x")
go(chunked, b"3", b"\\r\\nabc\\r\\n", b"0\\r\\n\\r\\n")
go(request(HOST) + request(HOST))
go(request(THIEF))
"""
    run = kept(network, code, "block")
    *sent, heard = run.stdout.splitlines()
    assert (
        sent == ["sent"] * 4 + ["PermissionError"]
        and heard.endswith("False")
        and int(heard.split()[0]) > 50000
    )
    assert [event["details"]["first_bytes"] for event in run.violations] == ["other_host"]
    run = kept(network, code, "alert")
    assert run.stdout.splitlines()[4] == "sent" and run.stdout.endswith("True\n")
    assert [event["mode"] for event in run.violations] == ["alert"]


@pytest.mark.parametrize(
    "code",
    [
        "go(post, b'x' * 49990, b'x' * 10 + request(THIEF))",
        "go(post, b'x' * 50000 + request(THIEF))",
        "go(post, b'x' * 50000, request(THIEF))",
        "go(chunked, b'0\\r\\n\\r\\n' + request(THIEF))",
        "go(chunked, b'0\\r\\n\\r\\n', request(THIEF))",
        # A second connect, which fails. A guard that starts anew there reads requests where a
        # server reads a body, and the reverse.
        (
            "s.sendall(post); s.connect_ex((socket.gethostbyname(HOST), 80)); go(post,"
            " request(HOST) + request(THIEF))"
        ),
        (
            "s.sendall(post); in_child(lambda: s.sendall(request(HOST) + b'x' * 40000)); go(b'x' *"
            " 50000, request(THIEF))"
        ),
    ],
)
def test_requests_hidden_in_bodies(network: Network, code: str) -> None:
    run = kept(network, code, "block")
    assert run.stdout.endswith("False\n") and "PermissionError" in run.stdout, run
    assert run.violations != []
    assert kept(network, code, "alert").stdout.endswith("True\n")


MANY = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
open_, refused = [], 0
for _ in range(1400):
    try:
        open_.append(dial())
    except OSError:
        refused += 1
print(len(open_) > 500, refused > 0)
# Closed where no door sees it, as the copies of a forked child are. Sockets that no fd leads to any
# more leave the table.
if len(sys.argv) > 1:
    os.closerange(open_[0].fileno(), 4096)
else:
    for one in open_:
        one.close()
for _ in range(100):
    one = dial()
    one.send(GOOD)
    one.close()
print("again")
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.parametrize("ways", [[], ["range"]])
def test_more_connections_than_there_is_room_for(network: Network, ways: list[str]) -> None:
    policy = rules({"mode": "block", "allow": ENTRIES})
    argv = [sys.executable, "-c", PRELUDE + MANY, *ways]
    result = network.run(
        argv, policy=policy, env={"PYTHONPATH": str(support.ROOT)}, stdin=""
    ).result
    assert result.stdout.splitlines() == ["True True", "again"], result
    assert {event["details"]["first_bytes"] for event in result.violations} == {"too_many"}
