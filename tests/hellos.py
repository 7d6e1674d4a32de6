"""TLS ClientHellos, and other bytes that a client may send first."""

from __future__ import annotations

import contextlib
import ssl
import struct

GREASE = 0x0A0A
SERVER_NAME, EARLY_DATA, ECH = 0, 42, 0xFE0D


def vector(data: bytes, size: int) -> bytes:
    """`data` with its length before it, in `size` bytes."""
    return len(data).to_bytes(size, "big") + data


def server_name(*names: bytes) -> bytes:
    """The body of a server_name extension."""
    return vector(b"".join(b"\0" + vector(name, 2) for name in names), 2)


def extension(kind: int, body: bytes) -> bytes:
    """A TLS extension."""
    return struct.pack(">H", kind) + vector(body, 2)


def client_hello(
    name: bytes | None = None,
    extra: bytes = b"",
    *,
    extensions: bytes | None = None,
    session: bytes = b"",
) -> bytes:
    """The handshake message. `extensions` replaces the extensions that `name` and `extra` make."""
    if extensions is None:
        extensions = b"" if name is None else extension(SERVER_NAME, server_name(name))
        extensions += extra
    body = (
        b"\x03\x03"
        + bytes(32)
        + vector(session, 1)
        + vector(b"\x13\x01\x00\x2f", 2)
        + vector(b"\0", 1)
    )
    return b"\x01" + vector(body + vector(extensions, 2), 3)


def record(message: bytes, kind: int = 0x16, version: bytes = b"\x03\x01") -> bytes:
    """`data` in one TLS record."""
    return bytes([kind]) + version + vector(message, 2)


def hello(name: bytes | None = None, extra: bytes = b"") -> bytes:
    """A whole ClientHello, in a record."""
    return record(client_hello(name, extra))


def openssl(name: str | None) -> bytes:
    """The ClientHello that this Python's OpenSSL sends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    connection = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()
