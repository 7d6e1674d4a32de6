"""The parsers of first bytes, under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import hellos
from tests.hellos import client_hello, extension, hello, openssl, record, server_name
from tests.support import CORE, core_file

HERE = Path(__file__).resolve().parent
Ask = Callable[..., str]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """The parsers' answer for these bytes. Fails if a sanitizer complains."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("the sanitizers need gcc or clang")
    program = tmp_path_factory.mktemp("first_bytes") / "first_bytes"
    sources = [
        HERE / "harness" / "first_bytes.c",
        *(
            core_file(f"{name}.c")
            for name in ("client_hello", "host_header", "permits", "http", "proxy_answer", "dns")
        ),
    ]
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
        *map(str, sources),
    ]
    subprocess.run([*command, "-o", str(program)], check=True, timeout=120)

    def run(what: str, *pieces: bytes | str) -> str:
        argv = [
            str(program),
            what,
            *(piece if isinstance(piece, str) else piece.hex() for piece in pieces),
        ]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


NAME = b"api.allowed.example"
ONE = extension(hellos.SERVER_NAME, server_name(NAME))
BIG = extension(21, bytes(16000))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(openssl("api.allowed.example"), "named api.allowed.example", id="openssl"),
        pytest.param(openssl(None), "unnamed", id="openssl without a name"),
        pytest.param(hello(NAME), "named api.allowed.example", id="smallest"),
        pytest.param(
            hello(b"API.Allowed.example."), "named api.allowed.example", id="case and a last dot"
        ),
        pytest.param(
            hello(NAME, extension(hellos.GREASE, b"")), "named api.allowed.example", id="grease"
        ),
        pytest.param(
            hello(NAME, extension(21, bytes(4000))), "named api.allowed.example", id="padded"
        ),
        pytest.param(
            hello(NAME) + record(b"x", 0x17), "named api.allowed.example", id="more follows"
        ),
        pytest.param(hello(), "unnamed", id="no name"),
        pytest.param(
            hello(None, extension(hellos.GREASE, b"")), "unnamed", id="other extensions only"
        ),
        pytest.param(
            hello(NAME, extension(hellos.ECH, b"\0" * 40)), "ech api.allowed.example", id="ech"
        ),
        pytest.param(
            hello(NAME, extension(0xFFCE, b"\0" * 40)), "ech api.allowed.example", id="esni"
        ),
        pytest.param(
            hello(NAME, extension(hellos.EARLY_DATA, b"")),
            "early_data api.allowed.example",
            id="early data",
        ),
        pytest.param(hello(NAME, ONE), "malformed", id="two extensions with names"),
        pytest.param(
            record(client_hello(extensions=extension(0, server_name(NAME, b"evil.example")))),
            "malformed",
            id="two names",
        ),
        pytest.param(
            record(client_hello(extensions=extension(0, b""))), "malformed", id="an empty extension"
        ),
        pytest.param(
            record(client_hello(extensions=extension(0, server_name(b"")))),
            "malformed",
            id="an empty name",
        ),
        pytest.param(hello(b"a\0b.example"), "malformed", id="a nul in the name"),
        pytest.param(hello(b"a" * 64 + b".example"), "malformed", id="a label of 64"),
        pytest.param(hello(b".".join([b"a" * 63] * 4)), "malformed", id="a name of 255"),
        pytest.param(hello(b"bad name"), "malformed", id="a blank in the name"),
        pytest.param(
            record(client_hello(NAME, session=bytes(33))), "malformed", id="a session id of 33"
        ),
        pytest.param(record(client_hello(NAME) + b"\0"), "malformed", id="bytes after the message"),
        pytest.param(
            record(client_hello(NAME) + client_hello(b"evil.example")),
            "malformed",
            id="two messages",
        ),
        pytest.param(hello(NAME)[:-1], "split", id="a byte is missing"),
        pytest.param(hello(NAME)[:7], "split", id="two bytes of the message"),
        pytest.param(b"\x16", "split", id="one byte"),
        pytest.param(b"", "split", id="nothing"),
        pytest.param(
            record(client_hello(NAME)[:40]) + record(client_hello(NAME)[40:]),
            "fragmented",
            id="two records",
        ),
        pytest.param(record(b"\x01"), "fragmented", id="a record of one byte"),
        pytest.param(record(client_hello(NAME, BIG + BIG)[:16384]), "oversized", id="oversized"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", "not_tls", id="http"),
        pytest.param(b"\x80\x2e\x01\x03\x01" + bytes(41), "not_tls", id="sslv2"),
        pytest.param(record(client_hello(NAME), 0x17), "not_tls", id="application data"),
        pytest.param(record(b"\x02" + client_hello(NAME)[1:]), "not_tls", id="another message"),
        pytest.param(
            record(client_hello(NAME), version=b"\x7f\x1c"), "not_tls", id="another version"
        ),
        pytest.param(record(b""), "not_tls", id="an empty record"),
    ],
)
def test_greetings(ask: Ask, sent: bytes, expected: str) -> None:
    assert ask("hello", sent) == expected


def test_no_beginning_of_a_greeting_is_one(ask: Ask) -> None:
    sent = openssl("api.allowed.example")
    for size in range(0, len(sent), 7):
        assert ask("hello", sent[:size]) == "split"


CCS = record(b"\x01", 0x14, b"\x03\x03")
ALERT = record(b"\x01\x5a", 0x15, b"\x03\x03")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", "open"),
        (CCS, "open"),
        (CCS + ALERT, "open"),
        (CCS + record(b"x" * 40, 0x17), "over"),
        (record(b"\x10" + bytes(40)), "over"),
        (b"anything", "over"),
        (hello(b"other.example"), "again other.example"),
        (CCS + hello(b"other.example"), "again other.example"),
        (ALERT + CCS + hello(b"other.example"), "again other.example"),
        (CCS + hello(b"other.example")[:5], "split"),
        (CCS[:5], "split"),
        (record(b"") + hello(b"other.example"), "again"),
    ],
)
def test_a_second_greeting(ask: Ask, sent: bytes, expected: str) -> None:
    assert ask("next", sent) == expected


def head(*lines: bytes) -> bytes:
    return b"\r\n".join(lines) + b"\r\n\r\n"


GET = head(b"GET /a HTTP/1.1", b"Host: good.example", b"Accept: */*")
POST = head(b"POST /a HTTP/1.1", b"Host: good.example", b"Content-Length: 5")
CHUNKED = head(b"POST /a HTTP/1.1", b"Host: good.example", b"Transfer-Encoding: chunked")
EVIL = head(b"GET /a HTTP/1.1", b"Host: evil.example")


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param([GET], "good.example:0 fine 0", id="one"),
        pytest.param([GET, GET], "good.example:0 good.example:0 fine 0", id="two"),
        pytest.param([GET + GET], "good.example:0 good.example:0 fine 0", id="two at once"),
        pytest.param(
            [POST, b"12", b"345", GET],
            "good.example:0 good.example:0 fine 0",
            id="a body in pieces",
        ),
        pytest.param([POST + b"12"], "good.example:0 fine 3", id="part of a body"),
        pytest.param(
            [POST + b"12345" + EVIL],
            "good.example:0 evil.example:0 refused",
            id="another host after a body",
        ),
        pytest.param(
            [POST, b"1234", b"5" + EVIL],
            "good.example:0 evil.example:0 refused",
            id="in a body's last piece",
        ),
        pytest.param(
            [CHUNKED, b"5\r\n12345\r\n0\r\n\r\n", GET],
            "good.example:0 good.example:0 fine 0",
            id="chunks",
        ),
        pytest.param(
            [CHUNKED, b"5", b"\r", b"\n12345\r\n0\r\n\r", b"\n" + EVIL],
            "good.example:0 evil.example:0 refused",
            id="after chunks",
        ),
        pytest.param([CHUNKED, b"5;x=y\r\n"], "good.example:0 malformed", id="a chunk extension"),
        pytest.param(
            [CHUNKED, b"0\r\nHost: evil.example\r\n\r\n"],
            "good.example:0 malformed",
            id="a trailer",
        ),
        pytest.param([EVIL], "evil.example:0 refused", id="another host"),
        pytest.param(
            [head(b"GET http://evil.example/ HTTP/1.1", b"Host: good.example")],
            "evil.example:80 refused",
            id="absolute",
        ),
        pytest.param(
            [head(b"GET http://good.example/ HTTP/1.1", b"Host: evil.example")],
            "good.example:80 evil.example:80 refused",
            id="absolute and another",
        ),
        pytest.param(
            [head(b"GET / HTTP/1.1", b"Host: good.example:8080")],
            "good.example:8080 fine 0",
            id="with a port",
        ),
        pytest.param(
            [head(b"GET / HTTP/1.1", b"host:good.EXAMPLE. ")],
            "good.example:0 fine 0",
            id="case and dot",
        ),
        pytest.param(
            [head(b"GET / HTTP/1.1", b"Host: [2001:db8::1]:80")],
            "2001:db8::1:80 refused",
            id="an address",
        ),
        pytest.param(
            [head(b"CONNECT good.example:443 HTTP/1.1", b"Host: x.example")],
            "good.example:443 tunnel",
            id="connect",
        ),
        pytest.param(
            [head(b"CONNECT good.example HTTP/1.1")], "malformed", id="connect without a port"
        ),
        pytest.param(
            [head(b"GET / HTTP/1.1", b"Host: good.example", b"Host: good.example")],
            "twice",
            id="two hosts",
        ),
        pytest.param([head(b"GET / HTTP/1.1", b"Accept: a")], "unnamed", id="no host"),
        pytest.param([head(b"GET / HTTP/1.1", b"Host: ")], "malformed", id="an empty host"),
        pytest.param(
            [head(b"GET / HTTP/1.1", b"Host : good.example")],
            "malformed",
            id="a blank before the colon",
        ),
        pytest.param(
            [head(b"GET / HTTP/1.1", b"Host: good.example", b" folded")], "malformed", id="folded"
        ),
        pytest.param(
            [head(b"GET / HTTP/1.1", b"X: a\nHost: evil.example", b"Host: good.example")],
            "malformed",
            id="a bare newline",
        ),
        pytest.param(
            [head(b"GET / HTTP/1.1", b"X: a\rHost: evil.example", b"Host: good.example")],
            "malformed",
            id="a bare return",
        ),
        pytest.param(
            [head(b"GET / HTTP/1.1", b"X: a\0", b"Host: good.example")], "malformed", id="a nul"
        ),
        pytest.param(
            [
                head(
                    b"POST / HTTP/1.1",
                    b"Host: good.example",
                    b"Content-Length: 5",
                    b"Transfer-Encoding: chunked",
                )
            ],
            "malformed",
            id="two lengths",
        ),
        pytest.param(
            [head(b"POST / HTTP/1.0", b"Host: good.example", b"Transfer-Encoding: chunked")],
            "malformed",
            id="chunks before HTTP/1.1",
        ),
        pytest.param(
            [head(b"POST / HTTP/1.1", b"Host: good.example", b"Content-Length: +5")],
            "malformed",
            id="a sign",
        ),
        pytest.param(
            [head(b"POST / HTTP/1.1", b"Host: good.example", b"Content_Length: 5")],
            "malformed",
            id="an underscore",
        ),
        pytest.param(
            [head(b"POST / HTTP/1.1", b"Host: good.example", b"Transfer-Encoding: gzip")],
            "malformed",
            id="gzip",
        ),
        pytest.param(
            [head(b"GET / HTTP/1.1", b"Host: good.example", b"Upgrade: h2c")],
            "upgrade",
            id="upgrade",
        ),
        pytest.param([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], "not_http", id="http/2"),
        pytest.param([b"GET /\r\n"], "not_http", id="http/0.9"),
        pytest.param([b"\x16\x03\x01"], "not_http", id="tls"),
        pytest.param([b"hello"], "not_http", id="text"),
        pytest.param([GET[:-1]], "split", id="a byte is missing"),
        pytest.param([GET[:4], GET[4:]], "good.example:0 fine 0", id="two pieces"),
        pytest.param(
            [b"GET /a HTTP/1.1\r\n", b"Host: good.example\r\n\r\n"],
            "good.example:0 fine 0",
            id="line by line",
        ),
    ],
)
def test_requests(ask: Ask, pieces: list[bytes], expected: str) -> None:
    assert ask("requests", *pieces) == expected


CREDENTIALS = head(
    b"GET /2021-04-23/credentials HTTP/1.1", b"Host: 127.0.0.1:9001", b"Authorization: t"
)
METADATA = head(
    b"GET /2026-01-15/metadata/execution-environment HTTP/1.1",
    b"Host: 127.0.0.1:9001",
    b"Authorization: t",
)
INIT_ERROR = (
    head(b"POST /2018-06-01/runtime/init/error HTTP/1.1", b"Host: a", b"Content-Length: 3")
    + b"{}\n"
)
NEXT = head(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1", b"Host: a")
STREAMED = (
    head(
        b"POST /2018-06-01/runtime/invocation/a-1/response HTTP/1.1",
        b"Lambda-Runtime-Function-Response-Mode: streaming",
        b"Host: a",
        b"Transfer-Encoding: chunked",
    )
    + b"3\r\nabc\r\n0\r\n\r\n"
)


@pytest.mark.parametrize(
    ("permits", "sent", "expected"),
    [
        ("1", CREDENTIALS, "fine"),
        ("1", CREDENTIALS[:20], "split"),
        ("1", CREDENTIALS + NEXT, "refused"),
        ("1", CREDENTIALS.replace(b"\r\n", b"\n") + NEXT, "not_http"),
        (
            "1",
            CREDENTIALS.replace(
                b"credentials", b"credentials/../../2018-06-01/runtime/invocation/next"
            ),
            "refused",
        ),
        ("1", CREDENTIALS.replace(b"credentials", b"credentials?a"), "refused"),
        ("1", CREDENTIALS.replace(b"/2021", b"http://a/2021"), "refused"),
        ("1", CREDENTIALS[:-2] + b"Content-Length: 3\r\n\r\nabc", "refused"),
        ("1", CREDENTIALS[:-2] + b"Transfer-Encoding: chunked\r\n\r\n", "refused"),
        ("1", CREDENTIALS[:-2] + b"Upgrade: h2c\r\n\r\n", "upgrade"),
        ("1", NEXT, "refused"),
        ("1", b"\r\n" + CREDENTIALS, "not_http"),
        ("1", INIT_ERROR, "refused"),
        ("2", INIT_ERROR, "fine"),
        ("2", INIT_ERROR.replace(b"Content-Length: 3", b"Transfer-Encoding: chunked"), "refused"),
        ("2", INIT_ERROR.replace(b"Host: a", b"Host: a\r\nExpect: 100-continue"), "refused"),
        ("2", CREDENTIALS, "refused"),
        ("4", METADATA, "fine"),
        ("3", METADATA, "refused"),
        ("0", CREDENTIALS, "refused"),
        ("8", STREAMED, "fine"),
        ("8", STREAMED[:-2] + b"Trailer-1: a\r\nTrailer-2: b\r\n\r\n", "fine"),
        ("8", STREAMED[:-2] + b"Trailer: a\n\r\n", "malformed"),
        ("8", STREAMED[:-2] + b" folded\r\n\r\n", "malformed"),
        ("8", STREAMED + STREAMED, "fine"),
        ("8", STREAMED + NEXT, "refused"),
        ("8", STREAMED[:-2] + b"A: b\r\n\r\n" + NEXT, "refused"),
        ("7", STREAMED, "refused"),
        ("8", STREAMED.replace(b"streaming", b"other"), "refused"),
        ("8", STREAMED.replace(b"/response", b"/error"), "refused"),
        ("8", STREAMED.replace(b"/response", b"/response/.."), "refused"),
        ("8", STREAMED.replace(b"a-1/response", b"a/1/response"), "refused"),
        ("8", STREAMED.replace(b"Host: a", b"Host: a\r\nExpect: 100-continue"), "refused"),
        ("8", NEXT, "refused"),
        ("16", NEXT, "fine"),
    ],
)
def test_what_others_may_ask_of_the_runtime_api(
    ask: Ask, permits: str, sent: bytes, expected: str
) -> None:
    assert ask("permitted", permits, sent) == expected


YES, EMPTY = (
    b"HTTP/1.1 200 Connection established\r\nVia: a\r\n\r\n",
    b"HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n",
)
NO = b"HTTP/1.1 407 no\r\nContent-Length: 19\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
CHUNKS = (
    b"HTTP/1.1 407 no\r\ntransfer-encoding:  Chunked\r\n\r\n13;a\r\nHTTP/1.1 200"
    b" OK\r\n\r\n\r\n0\r\nA: b\r\n\r\n"
)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["+", YES], "yes"),
        (["+", YES + b"what follows is the tunnel's"], "yes"),
        (["+", b"HTTP/1.1 100 Continue\r\n\r\n" + YES], "yes"),
        (["+", b"HTTP/1.0 200\r\n\r\n"], "yes"),
        (["+", YES[:-1]], ""),
        (["+", NO], "no"),
        (["+", NO, "+", YES], "no yes"),
        (["+", EMPTY, "+", EMPTY, "+", YES], "no no yes"),
        (["+", CHUNKS, "+", YES], "no yes"),
        (["+", NO[:-19], "+", NO[-19:], YES], "no yes"),
        (["+", NO + YES], "no"),
        (["+", NO + YES, "+", YES], "no unclear"),
        ([YES], "unclear"),
        (["+", NO, YES, "+", YES], "no unclear unclear"),
        (["+", b"HTTP/1.1 407 no\r\n\r\n", "+", YES], "no unclear"),
        (["+", NO.replace(b"19", b"1x"), "+", YES], "unclear unclear"),
        (["+", NO.replace(b": 19", b": 19\r\nContent-Length: 0"), "+", YES], "unclear unclear"),
        (["+", CHUNKS.replace(b"Chunked", b"gzip, chunked"), "+", YES], "unclear unclear"),
        (["+", CHUNKS.replace(b"13;a", b"1g"), "+", YES], "no unclear"),
        (["+", YES.replace(b"\r\n", b"\n")], "unclear"),
        (["+", YES.replace(b"200", b"20x")], "unclear"),
        (["+", YES.replace(b"200", b"101")], "unclear"),
        (["+", b"HTTP/1.1 500 " + b"x" * 40000, b"x" * 40000], "unclear"),
    ],
)
def test_what_a_proxy_answers(ask: Ask, pieces: list[bytes | str], expected: str) -> None:
    assert ask("answers", *pieces) == expected


@pytest.mark.parametrize("pieces", [["+", NO, "+", YES], ["+", CHUNKS, "+", NO, "+", YES]])
def test_what_a_proxy_answers_byte_by_byte(ask: Ask, pieces: list[bytes | str]) -> None:
    apart = [
        one
        for piece in pieces
        for one in ([piece] if isinstance(piece, str) else [bytes([b]) for b in piece])
    ]
    assert ask("answers", *apart) == ask("answers", *pieces)
