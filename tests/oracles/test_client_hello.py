"""Checks the core's ClientHello parser against tlslite-ng, over a record layer that is as lenient
as any server.

If a ClientHello passes because it names an allowed server, no other parser finds another name in
it, and no second ClientHello follows unseen.
"""

from __future__ import annotations

import contextlib
import ctypes
import ssl
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tlslite.messages import ClientHello
from tlslite.utils.codec import Parser

from tests.oracles.core import ALLOWED, NAME_ROOM, core, judged, plain

NAMED, OVER, OPEN, AGAIN, SPLIT = 0, 0, 1, 2, 3
OTHER = "evil.example"


def read(data: bytes) -> tuple[int, str, int]:
    """The core's result: the kind, the name, and the size of the record."""
    name, size = ctypes.create_string_buffer(NAME_ROOM), ctypes.c_size_t()
    kind = core().oracle_hello(data, ctypes.c_size_t(len(data)), name, ctypes.byref(size))
    return kind, name.value.decode(), size.value


def read_next(data: bytes) -> tuple[int, int, str]:
    name, kind = ctypes.create_string_buffer(NAME_ROOM), ctypes.c_int()
    found = core().oracle_hello_next(data, ctypes.c_size_t(len(data)), ctypes.byref(kind), name)
    return found, kind.value, name.value.decode()


def handshakes(data: bytes) -> list[tuple[int, bytes]]:
    """The handshake messages sent in the clear. Fragments are joined, and ChangeCipherSpec records
    are skipped."""
    joined, at = b"", 0
    while at + 5 <= len(data):
        kind, size = data[at], int.from_bytes(data[at + 3 : at + 5], "big")
        if kind not in (20, 22):
            break
        if kind == 22:
            joined += data[at + 5 : at + 5 + size]
        at += 5 + size
    found = []
    while len(joined) >= 4:
        size = int.from_bytes(joined[1:4], "big")
        if len(joined) < 4 + size:
            break
        found.append((joined[0], joined[4 : 4 + size]))
        joined = joined[4 + size :]
    return found


def names_of(body: bytes) -> list[str] | None:
    """Every name in a ClientHello; None if it is not one."""
    hello: Any = ClientHello()
    try:
        hello.parse(Parser(bytearray(len(body).to_bytes(3, "big") + body)))
    except Exception:
        return None
    found = []
    for extension in hello.extensions or []:
        if extension.extType == 0:
            found += [bytes(name) for name in extension.hostNames or []]
    return [plain(name.decode("latin-1")) for name in found]


# ---- ClientHellos ----


def u16(value: int) -> bytes:
    return (value & 0xFFFF).to_bytes(2, "big")


def off(draw: st.DrawFn) -> int:
    return draw(st.sampled_from([0] * 30 + [1, -1, 5]))


@st.composite
def server_names(draw: st.DrawFn) -> bytes:
    spelled = st.sampled_from(
        [ALLOWED] * 6 + [OTHER, ALLOWED.upper(), ALLOWED + ".", ALLOWED + "\0." + OTHER, ""]
    )
    names = draw(st.lists(spelled, min_size=1, max_size=draw(st.sampled_from([1, 1, 1, 2]))))
    entries = b""
    for name in names:
        kind = draw(st.sampled_from([0] * 10 + [1]))
        entries += bytes([kind]) + u16(len(name) + off(draw)) + name.encode("latin-1")
    return u16(len(entries) + off(draw)) + entries


@st.composite
def extensions(draw: st.DrawFn) -> bytes:
    found = b""
    kinds = draw(
        st.sampled_from(
            [
                [0],
                [0],
                [0],
                [0, 0],
                [],
                [0, 10, 16],
                [43, 0, 51],
                [0, 21],
                [0, 42],
                [0, 0xFE0D],
                [65281, 0],
            ]
        )
    )
    for kind in kinds:
        body = draw(server_names()) if kind == 0 else draw(st.binary(max_size=8))
        found += u16(kind) + u16(len(body) + off(draw)) + body
    return found


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A handshake message, mostly a ClientHello."""
    offered = draw(extensions())
    body = draw(st.sampled_from([b"\3\3", b"\3\3", b"\3\1", b"\2\0"])) + bytes(range(32))
    session = draw(st.sampled_from([b"", bytes(32)]))
    body += (
        bytes([len(session)])
        + session
        + draw(st.sampled_from([b"\0\2\x13\1", b"\0\4\x13\1\0\xff", b"\0\3\x13\1\0"]))
    )
    body += (
        b"\1\0"
        + u16(len(offered) + off(draw))
        + offered
        + draw(st.sampled_from([b""] * 12 + [b"\0"]))
    )
    kind = draw(st.sampled_from([1] * 20 + [0, 2, 16]))
    return bytes([kind]) + b"\0" + u16(len(body) + off(draw)) + body


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """One or two messages, split into records in some way."""
    joined = b"".join(
        draw(st.lists(messages(), min_size=1, max_size=draw(st.sampled_from([1, 1, 1, 2]))))
    )
    cuts = draw(st.sampled_from([[], [], [], [], [1], [4], [50], [0]]))
    found, before = b"", 0
    for cut in [*cuts, len(joined)]:
        kind = draw(st.sampled_from([22] * 30 + [20, 21, 23]))
        part = joined[before:cut]
        found += (
            bytes([kind, 3, draw(st.sampled_from([1, 1, 3, 0, 4]))])
            + u16(len(part) + off(draw))
            + part
        )
        before = cut
    return found


FOLLOWING = st.sampled_from(
    [
        b"",
        b"",
        b"\x14\3\3\0\1\1",
        b"\x14\3\3\0\1\1\x14\3\3\0\1\1",
        b"\x16\3\3\0\0",
        b"\x15\3\3\0\2\1\0",
        b"\x17\3\3\0\1x",
        b"\x16\3\3\0\4\x10\0\0\0",
        b"\x14\3\3\0\0",
        b"\x14\3\3\0\2\1\1",
        b"\x18\3\3\0\1x",
    ]
)


def judge(data: bytes) -> None:
    kind, name, size = read(data)
    if kind != NAMED:
        return
    others = handshakes(data)
    if others and others[0][0] == 1:
        names = names_of(others[0][1])
        assert names is None or names == [name], f"{names} for {name!r} in {data!r}"
    follows, again, second = read_next(data[size:])
    rest = handshakes(data[size:])
    if not rest or rest[0][0] != 1 or (names := names_of(rest[0][1])) is None:
        return
    # The core has seen a second ClientHello in the clear. If it was let through, its name is
    # allowed.
    assert follows in (AGAIN, SPLIT), f"{names} follows unseen in {data!r}"
    assert follows == SPLIT or again != NAMED or names == [second], (
        f"{names} for {second!r} in {data!r}"
    )


@given(records(), FOLLOWING, st.one_of(st.just(b""), records()))
@judged
def test_no_greeting_names_another_server(first: bytes, between: bytes, second: bytes) -> None:
    judge(first + between + second)


def greeting(name: str) -> bytes:
    """The ClientHello that this Python sends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


REAL = greeting(ALLOWED)


@given(
    st.lists(
        st.tuples(st.integers(0, len(REAL) - 1), st.binary(max_size=2), st.integers(0, 2)),
        max_size=3,
    ),
    FOLLOWING,
)
@judged
def test_nor_does_one_of_openssl_that_was_changed(
    changes: list[tuple[int, bytes, int]], between: bytes
) -> None:
    data = bytearray(REAL)
    for at, new, size in changes:
        data[at : at + size] = new
    judge(bytes(data) + between + greeting(OTHER))


def test_the_judge_reads_what_openssl_says() -> None:
    """The property above is not vacuous: ClientHellos have names, and both parsers see a second
    one."""
    both = REAL + greeting(OTHER)
    assert [names_of(body) for _, body in handshakes(both)] == [[ALLOWED], [OTHER]]
    assert read(REAL)[:2] == (NAMED, ALLOWED)
    assert read_next(both[len(REAL) :]) == (AGAIN, NAMED, OTHER)
