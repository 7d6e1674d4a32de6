"""How the entry that allowed a connection decides on its first bytes: its names, `tls:`, ranges and
datagrams."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests import support
from tests.contract.helpers import copy_layer, policy_of
from tests.egress import places
from tests.egress.dialling import ENTRIES, LOOSENED, PRELUDE, act
from tests.egress.network import Network
from tests.support import policy_file, rules


def test_what_is_allowed(network: Network) -> None:
    code = """
import http.client, urllib.request
for name in (API, "unrelated"):
    try:
        print(urllib.request.urlopen(f"https://{name}/token", timeout=5).status)
    except OSError as error:
        print(type(error).__name__)
posted = urllib.request.Request(f"http://{PLAIN}/token", data=b"x" * 200000)
print(urllib.request.urlopen(posted, timeout=5).status)
s = dial(PLAIN, 80)
in_child(lambda: None)
s.sendall(request(PLAIN)); print(s.recv(100)[:15])
"""
    run = act(network, code, "block")
    assert run.result.stdout.split("\n")[:4] == [
        "200",
        "URLError",
        "200",
        "b'HTTP/1.1 200 OK'",
    ], run.result
    assert run.words == {("block", None)}


def test_one_entry_two_names(network: Network) -> None:
    """The first bytes may name another name of the same entry. They may name one of another entry
    only if a lookup of that name led to this address."""
    code = (
        "for name in (b'two.allowed.example', API.encode()):"
        " dial('one.allowed.example').send(hellos.hello(name))"
    )
    wide = {"mode": "block", "allow": [{"host": "*.allowed.example"}]}
    given = {"PYTHONPATH": str(support.ROOT)}
    argv = [sys.executable, "-c", PRELUDE + code]
    assert network.run(argv, policy=rules(wide), env=given, stdin="").result.violations == []
    apart = {"mode": "block", "allow": [{"host": "one.allowed.example"}, {"host": places.API}]}
    done = network.run(
        [*argv[:2], PRELUDE + "dial('one.allowed.example').send(GOOD)"],
        policy=rules(apart),
        env=given,
        stdin="",
    )
    assert [event["details"]["first_bytes"] for event in done.result.violations] == [
        "other_server_name"
    ]
    both = PRELUDE + "socket.getaddrinfo(API, 443); dial('one.allowed.example').send(GOOD)"
    assert (
        network.run([*argv[:2], both], policy=rules(apart), env=given, stdin="").result.violations
        == []
    )


@pytest.mark.parametrize("mode", [None, "block", "alert"])
def test_as_much_is_sent_by_one_call(network: Network, mode: str | None) -> None:
    """A blocking socket sends everything it is given, although the guard inspects it on the way."""
    code = """
post = b"POST /token HTTP/1.1\\r\\nHost: " + PLAIN.encode()
post += b"\\r\\nContent-Length: 1000000\\r\\n\\r\\n"
s = dial(PLAIN, 80)
print(s.send(post + bytes(1000000)) - len(post), s.recv(12))
s = dial(PLAIN, 80)
print(s.sendmsg([post, bytes(500000), bytes(499999), b"x"]) - len(post), s.recv(12))
"""
    run = act(network, code, mode)
    assert run.result.stdout == "1000000 b'HTTP/1.1 200'\n" * 2, run.result
    assert run.result.violations == []


@pytest.mark.parametrize("tls", ["none", "starttls"])
def test_tls_is_not_asked_for(network: Network, tls: str) -> None:
    entry = {"host": places.API, "ports": [443, places.OTHER_PORT], "tls": tls}
    code = PRELUDE + f"dial().send(RAW); dial(port={places.OTHER_PORT}).send(RAW)"
    policy = rules({"mode": "block", "allow": [entry]})
    done = network.run(
        [sys.executable, "-c", code], policy=policy, env={"PYTHONPATH": str(support.ROOT)}, stdin=""
    )
    assert done.result.violations == [] and len(done.arrived.of("connection")) == 2


@pytest.mark.parametrize(("tls", "expected"), [("required", ["not_tls"]), (None, [])])
def test_tls_on_another_port(network: Network, tls: str | None, expected: list[str]) -> None:
    entry = {"host": places.API, "ports": [places.OTHER_PORT], **({"tls": tls} if tls else {})}
    code = PRELUDE + f"dial(port={places.OTHER_PORT}).send(RAW)"
    policy = rules({"mode": "block", "allow": [entry]})
    done = network.run(
        [sys.executable, "-c", code], policy=policy, env={"PYTHONPATH": str(support.ROOT)}, stdin=""
    )
    assert [event["details"]["first_bytes"] for event in done.result.violations] == expected


def test_an_address_is_not_inspected(network: Network) -> None:
    policy = rules(
        {"mode": "block", "allow": [*ENTRIES, {"cidr": "10.66.0.80/32"}, {"cidr": "fd66::80/128"}]}
    )
    done = network.run(
        [sys.executable, "-c", PRELUDE + "dial().send(RAW)"],
        policy=policy,
        env={"PYTHONPATH": str(support.ROOT)},
        stdin="",
    )
    assert done.result.violations == [] and done.arrived.of("connection")[0]["bytes"] > 0


DATAGRAM = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
socket.getaddrinfo(API, 443)
s.connect(("10.66.0.80", 443))
print(s.getsockname()[0])
"""


@pytest.mark.parametrize(
    "code", ["s.send(RAW)", "s.sendto(RAW, ('10.66.0.80', 443))", "os.write(s.fileno(), RAW)"]
)
def test_datagrams(network: Network, code: str) -> None:
    """The entry allows TLS over TCP. The guard cannot read QUIC. Asking the kernel for a route
    sends no datagram."""
    assert act(network, DATAGRAM + code, None).arrived.of("datagram")
    run = act(network, DATAGRAM + code, "block")
    assert run.result.stdout and not run.arrived.of("datagram")
    assert run.words == {("block", "datagram")}
    assert act(network, DATAGRAM, "block").result.violations == []


ELSEWHERE = [{"host": "elsewhere.example"}]


@pytest.mark.parametrize(
    ("own", "floor", "loosened", "reported"),
    [
        ("allow", "block", None, []),
        ("alert", "block", None, [None]),
        ("block", "alert", None, [None]),
        ("block", "block", "allow", []),
        ("block", "block", "alert", [None]),
    ],
)
def test_policy_or_floor_reads_first_bytes(
    network: Network,
    tmp_path: Path,
    own: str,
    floor: str,
    loosened: str | None,
    reported: list[None],
) -> None:
    """The stricter verdict wins. If one document allows the connection by name and the other allows
    it without a name, the first bytes are read."""
    launcher = copy_layer(tmp_path / "layer")
    entries = (ENTRIES, ELSEWHERE) if floor == "alert" else (ELSEWHERE, ENTRIES)
    policies = [
        rules({"mode": mode, "allow": allow} if mode != "allow" else mode)
        for mode, allow in zip((own, floor), entries, strict=True)
    ]
    policies[0]["allow_reconfigure"] = loosened is not None
    shutil.copy(policy_file(policies[1]), policy_of(launcher, "floor"))
    env = {"PYTHONPATH": str(support.ROOT), "FUNCTION_SHIELD_POLICY": policy_file(policies[0])}
    before = LOOSENED.replace("MODE", repr(loosened)) if loosened else ""
    words = {}
    for name in ("GOOD", "BAD"):
        code = f"{PRELUDE}{before}\ndial().send({name})"
        argv: list[str | Path] = [launcher, sys.executable, "-c", code]
        done = network.run(argv, policy=None, env=env, stdin="")
        words[name] = [event["details"].get("first_bytes") for event in done.result.violations]
    assert words == {"GOOD": reported, "BAD": [*reported, "other_server_name"]}
