"""Checks the core's reading of outgoing HTTP against h11 and Node's llhttp, which also runs in its
most lenient modes.

Every request that they read is for an allowed host that the core has judged. No request is
smuggled, and none is for another host.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field

import h11
import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.oracles.core import ALLOWED, core, judged, plain

LENIENCIES = (
    *(
        "lenient_headers",
        "lenient_chunked_length",
        "lenient_keep_alive",
        "lenient_transfer_encoding",
    ),
    *(
        "lenient_version",
        "lenient_data_after_close",
        "lenient_optional_lf_after_cr",
        "lenient_optional_cr_before_lf",
    ),
    *("lenient_optional_crlf_after_chunk", "lenient_spaces_after_chunk_size"),
)


@dataclass
class Request:
    """A request as a server reads it: the target, and every host that it names."""

    target: bytes = b""
    hosts: list[bytes] = field(default_factory=list)


class Reader:
    """The callbacks of llhttp."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.now = Request()

    def on_message_begin(self) -> None:
        self.now = Request()

    def on_url(self, url: bytes) -> None:
        self.now.target += url

    def on_header(self, name: bytes, value: bytes | None) -> None:
        if name.lower() == b"host":
            self.now.hosts.append(value or b"")

    def on_headers_complete(self) -> None:
        self.requests.append(self.now)


def read_by_llhttp(data: bytes, leniencies: tuple[str, ...]) -> list[Request]:
    reader = Reader()
    parser = httptools.HttpRequestParser(reader)
    parser.set_dangerous_leniencies(**dict.fromkeys(leniencies, True))
    with contextlib.suppress(httptools.HttpParserError, httptools.HttpParserUpgrade):
        parser.feed_data(data)
    return reader.requests


def read_by_h11(data: bytes) -> list[Request]:
    """A new connection for each request, because h11 does not let a server skip the response."""
    requests: list[Request] = []
    for _ in range(20):
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(data)
        try:
            while not isinstance(event := connection.next_event(), h11.EndOfMessage):
                if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                    return requests
                if isinstance(event, h11.Request):
                    hosts = [value for name, value in event.headers if name == b"host"]
                    requests.append(Request(event.target, hosts))
        except h11.RemoteProtocolError:
            return requests
        data = connection.trailing_data[0]
        if not data:
            return requests
    return requests


def readings(data: bytes) -> Iterator[tuple[str, list[Request]]]:
    yield "h11", read_by_h11(data)
    yield "llhttp", read_by_llhttp(data, ())
    yield "llhttp, most lenient", read_by_llhttp(data, LENIENCIES)
    for leniency in LENIENCIES:
        yield f"llhttp with {leniency}", read_by_llhttp(data, (leniency,))


def host_of(authority: bytes) -> str:
    text = authority.strip(b" \t").decode("latin-1").rpartition("@")[2]
    return plain(text.partition(":")[0])


def hosts_of(request: Request) -> list[str]:
    hosts = [host_of(host) for host in request.hosts]
    scheme, found, rest = request.target.partition(b"://")
    if found and scheme.lower() in (b"http", b"https"):
        hosts.append(host_of(rest.replace(b"?", b"/").replace(b"#", b"/").partition(b"/")[0]))
    return hosts


def passes(data: bytes, cuts: list[int]) -> tuple[bytes, int]:
    """What the core lets out of `data`, written in pieces, and the number of hosts that it
    judged."""
    ends = sorted({cut for cut in cuts if 0 < cut < len(data)} | {len(data)})
    asked = ctypes.c_uint()
    size = core().oracle_http(
        data, (ctypes.c_size_t * len(ends))(*ends), ctypes.c_size_t(len(ends)), ctypes.byref(asked)
    )
    return data[:size], asked.value


HOSTS = [
    *(
        "allowed.example",
        "ALLOWED.EXAMPLE",
        "allowed.example.",
        "allowed.example:80",
        " allowed.example\t",
    ),
    *(
        "evil.example",
        "evil.example:80",
        "allowed.example evil.example",
        "allowed.example,evil.example",
        "",
        "[::1]",
    ),
    *(
        "allowed.example@evil.example",
        "evil.example#allowed.example",
        "allowed.example/evil",
        "allowed.example\x0b",
    ),
]
END = st.sampled_from(["\r\n"] * 12 + ["\n", "\r", "\r\r\n", "\n\r\n", "\r\n "])
SMUGGLED = "GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n"
FIELDS = st.sampled_from(
    [
        *(
            "X: y",
            "Connection: keep-alive",
            "Connection: close",
            "Expect: 100-continue",
            "X:\ty ",
            "Accept:",
        ),
        *(
            "Upgrade: h2c",
            "X: y\nHost: evil.example",
            "X: y\rHost: evil.example",
            "X: y\r\n Host: evil.example",
            "X y: z",
        ),
        *(
            "Content-Length: 0",
            "Content-Length: 5",
            "Content-Length: 41",
            "Content-Length: +5",
            "Content-Length: 5, 5",
        ),
        *(
            "Content-Length : 5",
            "Content_Length: 41",
            "content-length:5",
            "Content-Length: 0x5",
            "Content-Length:\x0b5",
        ),
        *(
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: Chunked",
            "Transfer-Encoding: chunked, identity",
        ),
        "TE: chunked",
        *(
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding:\x0bchunked",
            "Transfer-Encoding : chunked",
        ),
        *(
            "Transfer_Encoding: chunked",
            "X: y\x00",
            "\x00: y",
            ":",
            " X: y",
            "\tHost: evil.example",
            "Host : evil.example",
        ),
    ]
)
BODIES = st.sampled_from(
    [
        "",
        "",
        "",
        "hello",
        SMUGGLED,
        "0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        "5;x=y\r\nhello\r\n0\r\n\r\n",
        "0\r\nHost: evil.example\r\n\r\n",
        f"29\r\n{SMUGGLED}\r\n0\r\n\r\n",
        f"0\n\n{SMUGGLED}",
        "5 \r\nhello\r\n0\r\n\r\n",
        f"0\r\n{SMUGGLED}",
        f"5\r\nhello0\r\n\r\n{SMUGGLED}",
        f"5\nhello\n0\n\n{SMUGGLED}",
        "-1\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        f"00000000000000005\r\nhello\r\n0\r\n\r\n{SMUGGLED}",
    ]
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    method = draw(
        st.sampled_from(
            ["GET"] * 4
            + ["POST"] * 4
            + ["CONNECT", "get", "HEAD", "G\tT", " GET", "PRI", "OPTIONS"]
        )
    )
    host = draw(st.sampled_from(HOSTS[:4] * 4 + HOSTS))
    path = draw(
        st.sampled_from(
            ["/"] * 6
            + ["*", "/a b", f"http://{host}/", "//evil.example/", "allowed.example:80", ""]
        )
    )
    version = draw(
        st.sampled_from(
            ["HTTP/1.1"] * 8 + ["HTTP/1.0", "HTTP/1.1 ", "HTTP/0.9", "HTTP/2.0", "HTTP/1.10", ""]
        )
    )
    fields = [f"Host: {host}"] * draw(st.sampled_from([1, 1, 1, 1, 1, 0, 2])) + draw(
        st.lists(FIELDS, max_size=3)
    )
    text = f"{method} {path} {version}{draw(END)}"
    for line in draw(st.permutations(fields)):
        text += line + draw(END)
    return (text + draw(END) + draw(BODIES)).encode("latin-1")


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    data = bytearray(b"".join(draw(st.lists(requests(), min_size=1, max_size=3))))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 1))] = draw(
            st.sampled_from([b"", b"\r", b"\n", b"\0", b" ", b"\t", b":", b"\x80"])
        )
    return bytes(data)


def judge(data: bytes, cuts: list[int]) -> None:
    passed, asked = passes(data, cuts)
    for parser, found in readings(passed):
        for request in found:
            for host in hosts_of(request):
                assert host == ALLOWED, f"{parser} reads a request for {host!r} in {passed!r}"
        assert len(found) <= asked, (
            f"{parser} reads {len(found)} requests, {asked} hosts were asked for, in {passed!r}"
        )


@example(
    f"GET / HTTP/1.1\r\nHost: {ALLOWED}\r\nContent-Length: 0\r\nTransfer-Encoding:"
    f" chunked\r\n\r\n{SMUGGLED}".encode(),
    [],
)
@given(streams(), st.lists(st.integers(0, 400), max_size=3))
@judged
def test_no_request_is_for_another_host(data: bytes, cuts: list[int]) -> None:
    judge(data, cuts)


@given(st.binary(max_size=60), st.lists(st.integers(0, 400), max_size=3))
@judged
def test_nor_is_one_behind_a_request_that_is_fine(data: bytes, cuts: list[int]) -> None:
    judge(
        f"POST / HTTP/1.1\r\nHost: {ALLOWED}\r\nContent-Length: 3\r\n\r\nabc".encode()
        + data
        + SMUGGLED.encode(),
        cuts,
    )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_plain_requests_pass_and_are_read_alike(body: str) -> None:
    data = f"POST / HTTP/1.1\r\nHost: {ALLOWED}\r\n{body or chr(13) + chr(10)}".encode() * 3
    assert passes(data, []) == (data, 3)
    for parser, found in readings(data):
        assert [hosts_of(request) for request in found] == [[ALLOWED]] * 3, parser


def test_the_judges_can_be_told_apart() -> None:
    """The property above is not vacuous: without the guard, each judge sees the smuggled
    request."""
    for parser, found in readings(f"GET / HTTP/1.1\r\nHost: {ALLOWED}\r\n\r\n{SMUGGLED}".encode()):
        assert [hosts_of(request) for request in found] == [[ALLOWED], ["evil.example"]], parser
