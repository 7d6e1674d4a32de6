"""The core's pure parsers, under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import struct
import subprocess
from pathlib import Path

import pytest

from tests.support import CORE, core_file

HERE = Path(__file__).resolve().parent
SOURCES = ("addresses.c", "dns.c", "dns_message.c", "http.c", "learnt.c", "lock.c", "text.c")


class Parsers:
    """The compiled harness."""

    def __init__(self, program: Path) -> None:
        self.program = program

    def ask(self, *arguments: str) -> str:
        """The output of the harness for ``arguments``. Fails if a sanitizer complains."""
        done = subprocess.run(
            [str(self.program), *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.removesuffix("\n")


@pytest.fixture(scope="module")
def parsers(tmp_path_factory: pytest.TempPathFactory) -> Parsers:
    """The harness, compiled once with gcc or clang."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("the sanitizers need gcc or clang")
    program = tmp_path_factory.mktemp("parsers") / "parsers"
    sources = [str(HERE / "harness" / "parsers.c"), *(str(core_file(name)) for name in SOURCES)]
    options = [
        "-std=gnu11",
        "-D_GNU_SOURCE",
        "-g",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fno-sanitize-recover=all",
    ]
    command = [
        compiler,
        *options,
        "-fsanitize=address,undefined",
        "-I",
        str(CORE),
        *sources,
        "-o",
        str(program),
    ]
    subprocess.run(command, check=True, timeout=120)
    return Parsers(program)


def in4(host: str, port: int) -> str:
    """A struct sockaddr_in in hexadecimal."""
    return (
        struct.pack("=HH", socket.AF_INET, socket.htons(port)) + socket.inet_aton(host) + bytes(8)
    ).hex()


def in6(host: str, port: int) -> str:
    """A struct sockaddr_in6 in hexadecimal."""
    head = struct.pack("=HHI", socket.AF_INET6, socket.htons(port), 0)
    return (head + socket.inet_pton(socket.AF_INET6, host) + bytes(4)).hex()


@pytest.mark.parametrize(
    ("address", "sending", "expected"),
    [
        (in4("192.0.2.7", 443), "0", "0 192.0.2.7 443 "),
        (in4("0.0.0.0", 80), "0", "0 127.0.0.1 80 "),
        (in6("::ffff:192.0.2.7", 443), "0", "0 192.0.2.7 443 "),
        (in6("::ffff:0.0.0.0", 443), "0", "0 127.0.0.1 443 "),
        (in6("::", 443), "0", "0 ::1 443 "),
        (in6("2001:db8::1", 443), "0", "0 2001:db8::1 443 "),
        (in6("2001:db8::1", 443)[:48], "0", "0 2001:db8::1 443 "),
        (in6("2001:db8::1", 443)[:46], "0", "4  0 "),
        (in4("192.0.2.7", 443)[:-2], "0", "4  0 "),
        ("0000" + in4("192.0.2.7", 53)[4:], "0", "2  0 "),
        ("0000" + in4("192.0.2.7", 53)[4:], "1", "0 192.0.2.7 53 "),
        ((struct.pack("=H", socket.AF_UNIX) + b"/run/x").hex(), "0", "1  0 /run/x"),
        ((struct.pack("=H", socket.AF_UNIX) + b"x" * 126).hex(), "0", "1  0 " + "x" * 108),
        (struct.pack("=H", socket.AF_UNIX).hex(), "0", "1  0 "),
        (struct.pack("=H", socket.AF_PACKET).hex(), "0", "5  0 "),
        (struct.pack("=H", socket.AF_NETLINK).hex(), "0", "3  0 "),
        ("02", "0", "2  0 "),
        ("", "0", "2  0 "),
    ],
)
def test_socket_addresses(parsers: Parsers, address: str, sending: str, expected: str) -> None:
    assert parsers.ask("sockaddr", address, sending) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0X7F.0.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("127.66.16962", "127.66.66.66"),
        ("0", "127.0.0.1"),
        ("4294967295", "255.255.255.255"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("::1%lo", "::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("4294967296", None),
        ("256.1.1.1", None),
        ("1.2.3.4.5", None),
        ("1.2.3.", None),
        ("1..2", None),
        ("0x", None),
        ("08", None),
        ("127.0.0.1 ", None),
        ("", None),
        (":", None),
        (":::", None),
        ("1::2::3", None),
        ("1:2:3:4:5:6:7", None),
        ("1:2:3:4:5:6:7:8:9", None),
        ("12345::", None),
        ("::1.2.3", None),
        ("example.com", None),
    ],
)
def test_numbers(parsers: Parsers, host: str, expected: str | None) -> None:
    answer = parsers.ask("number", host, "0")
    assert answer.split(" ")[0] == (expected or "-")
    if expected:
        assert answer.split(" ")[1] == (
            f"[{expected}]:65535" if ":" in expected else f"{expected}:65535"
        )


def test_gethostbyname_knows_no_hexadecimal(parsers: Parsers) -> None:
    assert parsers.ask("number", "0x7f.1", "1") == "-"
    assert parsers.ask("number", "127.1", "1").startswith("127.0.0.1 ")
    assert parsers.ask("number", "fe80::1%eth0", "1") == "-"


@pytest.mark.parametrize(
    "host",
    [
        "2001:db8::",
        "1:0:0:2::",
        "::2:3",
        "1::",
        "::",
        "1:2:3:4:5:6:7:8",
        "0:0:1:0:0:0:1:0",
        "64:ff9b::192.0.2.1",
        "1:0:2:3:4:5:6:7",
    ],
)
def test_ipv6_text_is_the_short_form(parsers: Parsers, host: str) -> None:
    expected = "::1" if host == "::" else str(ipaddress.IPv6Address(host))
    assert parsers.ask("number", host, "0").split(" ")[0] == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("API.Stripe.com", "api.stripe.com"),
        ("api.stripe.com.", "api.stripe.com"),
        ("_dmarc.a-b.example", "_dmarc.a-b.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        ("a" * 64 + ".example", "-"),
        (".".join(["a" * 49] * 5) + ".bcd", ".".join(["a" * 49] * 5) + ".bcd"),
        (".".join(["a" * 49] * 5) + ".bcde", "-"),
        ("", "-"),
        (".", "-"),
        ("a..b", "-"),
        (".a", "-"),
        ("a..", "-"),
        ("a b", "-"),
        ("a\nb", "-"),
        ("a/b", "-"),
        ("münchen.example", "-"),
    ],
)
def test_names(parsers: Parsers, name: str, expected: str) -> None:
    assert parsers.ask("name", name) == expected


def packet(
    name: str,
    flags: int = 0x0100,
    counts: tuple[int, int, int, int] = (1, 0, 0, 0),
    more: bytes = b"",
    kind: int = 1,
) -> str:
    """A DNS query in hexadecimal."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return (
        struct.pack(">HHHHHH", 7, flags, *counts)
        + labels
        + b"\0"
        + struct.pack(">HH", kind, 1)
        + more
    ).hex()


OPT = b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)
COOKIE = b"\0" + struct.pack(">HHIHHH", 41, 1232, 0, 12, 10, 8) + b"SECRETS!"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (packet("API.stripe.com"), "api.stripe.com 1 7 32"),
        (packet("api.stripe.com", counts=(1, 0, 0, 1), more=OPT), "api.stripe.com 1 7 43"),
        # A cookie is removed.
        (packet("api.stripe.com", counts=(1, 0, 0, 1), more=COOKIE), "api.stripe.com 1 7 43"),
        (packet("api.stripe.com", counts=(1, 0, 0, 1), more=COOKIE + b"x"), "-"),
        (packet("api.stripe.com", counts=(1, 0, 0, 1), more=COOKIE[:-1]), "-"),
        (packet("api.stripe.com", counts=(1, 0, 0, 1), more=OPT[:5] + b"\1" + OPT[6:]), "-"),
        (
            packet("api.stripe.com", counts=(1, 0, 0, 1), more=OPT[:7] + b"\x80" + OPT[8:]),
            "api.stripe.com 1 7 43",
        ),
        (packet("api.stripe.com", counts=(1, 0, 0, 1), more=OPT[:7] + b"\x40" + OPT[8:]), "-"),
        (packet("api.stripe.com", counts=(1, 0, 0, 1)), "-"),
        (packet("api.stripe.com", more=b"x"), "-"),
        (packet("api.stripe.com", flags=0x8180), "-"),
        (packet("api.stripe.com", flags=0x2800), "-"),
        (packet("api.stripe.com", flags=0x0130), "api.stripe.com 1 7 32"),
        (packet("api.stripe.com", flags=0x0140), "-"),
        (packet("api.stripe.com", counts=(2, 0, 0, 0)), "-"),
        (packet("api.stripe.com", counts=(1, 1, 0, 0)), "-"),
        (packet("api.stripe.com", kind=65), "api.stripe.com 65 7 32"),
        (packet("api.stripe.com", kind=255), "-"),
        (packet("a b.stripe.com"), "-"),
        (packet(".".join(["a" * 49] * 5) + ".bcd"), ".".join(["a" * 49] * 5) + ".bcd 1 7 271"),
        (packet(".".join(["a" * 49] * 5) + ".bcde"), "-"),
        (packet("api.stripe.com")[:-2], "-"),
        (packet("api.stripe.com")[:30], "-"),
        ("00070100000100000000000003777777c00c00010001", "-"),
        ("0007010000010000000000000000010001", "-"),
        ("", "-"),
    ],
)
def test_questions(parsers: Parsers, query: str, expected: str) -> None:
    assert parsers.ask("question", query) == expected


def record(owner: bytes, kind: int, data: bytes, class_: int = 1) -> bytes:
    """A resource record."""
    return owner + struct.pack(">HHIH", kind, class_, 60, len(data)) + data


def labels(name: str) -> bytes:
    """A name in wire format."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def answer(*records: bytes, flags: int = 0x8180, kind: int = 1, authority: int = 0) -> str:
    """A response about www.example in hexadecimal. The last ``authority`` records are in the
    authority section."""
    counts = struct.pack(">HHHHHH", 7, flags, 1, len(records) - authority, authority, 0)
    return (counts + labels("www.example") + struct.pack(">HH", kind, 1) + b"".join(records)).hex()


WWW = b"\xc0\x0c"
ONE, TWO = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answer(record(WWW, 1, ONE), record(WWW, 1, TWO)), "www.example 1 7 192.0.2.1 192.0.2.2"),
        (answer(record(labels("WWW.example"), 1, ONE)), "www.example 1 7 192.0.2.1"),
        (answer(record(WWW, 28, bytes(15) + b"\2"), kind=28), "www.example 28 7 ::2"),
        (answer(), "www.example 1 7"),
        # A chain, in any order, and with a pointer into the middle of a name.
        (
            answer(record(labels("b.example"), 1, TWO), record(WWW, 5, labels("b.example"))),
            "www.example 1 7 192.0.2.2",
        ),
        (
            answer(
                record(WWW, 5, b"\1b\xc0\x10"),
                record(b"\1b\xc0\x10", 5, labels("c")),
                record(labels("c"), 1, TWO),
            ),
            "www.example 1 7 192.0.2.2",
        ),
        # A chain that leads nowhere, in a circle, or to an invalid name: no address is taken.
        (answer(record(WWW, 5, labels("b.example")), record(WWW, 1, ONE)), "www.example 1 7"),
        (
            answer(record(WWW, 5, labels("b")), record(labels("b"), 5, labels("www.example"))),
            "www.example 1 7",
        ),
        (answer(record(WWW, 5, labels("a b")), record(labels("a b"), 1, ONE)), "www.example 1 7"),
        # Other names, classes, lengths and sections.
        (
            answer(record(labels("evil.example"), 1, ONE), record(WWW, 1, TWO)),
            "www.example 1 7 192.0.2.2",
        ),
        (answer(record(WWW, 1, ONE, class_=3)), "www.example 1 7"),
        (answer(record(WWW, 1, ONE + b"x")), "www.example 1 7"),
        (answer(record(WWW, 28, ONE)), "www.example 1 7"),
        (answer(record(WWW, 1, ONE), authority=1), "www.example 1 7"),
        # In a truncated answer, the records before the cut count.
        (answer(record(WWW, 1, ONE), record(WWW, 1, TWO))[:-2], "www.example 1 7 192.0.2.1"),
        # Pointers that lead to themselves, forward, or outside.
        (answer(record(b"\xc0\x1d", 1, ONE)), "www.example 1 7"),
        (answer(record(b"\xc0\x30", 1, ONE)), "www.example 1 7"),
        (answer(record(b"\xff\xff", 1, ONE)), "www.example 1 7"),
        (answer(record(WWW, 1, ONE), flags=0x8183), "-"),
        (answer(record(WWW, 1, ONE), flags=0x0100), "-"),
        (answer(record(WWW, 1, ONE), flags=0xA800), "-"),
        (answer()[:40], "-"),
        ("", "-"),
    ],
)
def test_answers(parsers: Parsers, response: str, expected: str) -> None:
    assert parsers.ask("answer", response) == expected


def test_no_more_addresses_than_there_is_room_for(parsers: Parsers) -> None:
    many = answer(*[record(WWW, 1, bytes([192, 0, 2, number])) for number in range(200)])
    assert len(parsers.ask("answer", many).split(" ")) == 3 + 64


@pytest.mark.parametrize(
    ("address", "special"),
    [
        ("169.254.169.254", True),
        ("169.254.1.1", True),
        ("169.254.171.9", False),
        ("224.0.0.1", True),
        ("255.255.255.255", True),
        ("10.0.0.2", False),
        ("fe80::1", True),
        ("fd00:ec2::254", True),
        ("fd00:ec2::23", True),
        ("fd00:ec2:80::1", False),
        ("ff02::1", True),
        ("2600:1f18::1", False),
    ],
)
def test_what_no_name_stands_for(parsers: Parsers, address: str, special: bool) -> None:
    assert parsers.ask("special", address) == str(int(special))


ID = b"Lambda-Runtime-Aws-Request-Id: x\r\n"
TENANT = b"Lambda-Runtime-Aws-Tenant-Id: "
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nLambda-Runtime-AWS-Request-Id: "
    b" 8476a536-e9f4\r\nX: y\r\n\r\n"
)


def test_a_request_id_in_any_pieces(parsers: Parsers) -> None:
    for size in range(1, len(HEAD) + 1):
        pieces = [HEAD[at : at + size].hex() for at in range(0, len(HEAD), size)]
        assert parsers.ask("response", *pieces) == "8476a536-e9f4"


def test_a_tenant_id_in_any_pieces(parsers: Parsers) -> None:
    tenant = b"lambda-runtime-aws-TENANT-id:\t blue team/7 \r\n"
    start = HEAD.index(b"Content")
    before, behind = HEAD[:start] + tenant + HEAD[start:], HEAD[:-2] + tenant + b"\r\n"
    for head in (before, behind):
        for size in range(1, len(head) + 1):
            pieces = [head[at : at + size].hex() for at in range(0, len(head), size)]
            assert parsers.ask("response", *pieces) == "8476a536-e9f4 of blue team/7"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nLambda-Runtime-Aws-Request-Id: body\r\n", "none"),
        (b"HTTP/1.1 200 OK\nlambda-runtime-aws-request-id:x\n\n", "x"),
        (b"Lambda-Runtime-Aws-Request-Id: " + b"a" * 500 + b"\r\n\r\n", "a" * 128),
        (b"X: " + b"a" * 70000 + b"\r\nLambda-Runtime-Aws-Request-Id: x\r\n\r\n", "x"),
        (b'Lambda-Runtime-Aws-Request-Id: a"\x1bb\r\n\r\n', 'a"'),
        (b"Lambda-Runtime-Aws-Request-Id: x", "more"),
        (b"Lambda-Runtime-Aws-Request-Id: x\r\n", "more"),
        (ID + b"Lambda-Runtime-Aws-Request-Id: y\r\n\r\n", "x"),
        (ID + b"Lambda-Runtime-Aws-Tenant-Id:  \r\n\r\n", "x"),
        (ID + b"Lambda-Runtime-Aws-Tenant-Id: a\r\n\r\n", "x of a"),
        (TENANT + b"a\r\n" + TENANT + b"b\r\n\r\n", " of a"),
        (TENANT + b'a"\x1b\\b\r\n\r\n', ' of a"\x1b\\b'),
        (TENANT + b"\xc3\xbc\r\n\r\n", " of \u00fc"),
        (TENANT + b"a" * 500 + b"\r\n\r\n", " of " + "a" * 288),
        (TENANT + b"a" * 70000 + b"\r\n\r\n", " of " + "a" * 288),
    ],
)
def test_heads(parsers: Parsers, head: bytes, expected: str) -> None:
    assert (
        parsers.ask("response", *(head[at : at + 30000].hex() for at in range(0, len(head), 30000)))
        == expected
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"GET /2018-06-01/runtime/invocation/next HTTP/1.1", "1 1"),
        (b"POST /2018-06-01/runtime/invocation/8476a536/response HTTP/1.1", "1 0"),
        (b"POST /2018-06-01/runtime/invocation/8476a536/error HTTP/1.1", "1 0"),
        (b"POST /2018-06-01/runtime/invocation/8476a536/other HTTP/1.1", "0 0"),
        (b"POST /2018-06-01/runtime/invocation/" + b"a" * 4096, "0 0"),
        (b"POST /2018-06-01/runtime/init/error HTTP/1.1", "0 0"),
        (b"", "0 0"),
    ],
)
def test_where_an_invocation_ends(parsers: Parsers, line: bytes, expected: str) -> None:
    assert parsers.ask("ends", line.hex()) == expected


def test_learnt_addresses(parsers: Parsers) -> None:
    before, count, first, second, announced, took, took_again, left, many = parsers.ask(
        "learnt"
    ).split(" ")
    assert (before, count, {first, second}) == ("0", "2", {"a.example", "b.example"})
    assert (announced, took, took_again, left) == ("1", "1", "0", "0")
    assert int(many) <= 16


def test_rubbish(parsers: Parsers) -> None:
    parsers.ask("fuzz", "400000")
