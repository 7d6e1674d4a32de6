"""Reads server name and protocols from a ClientHello, as the front of a CDN does. Written
independently of the guard's own reader."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hello:
    """What a front uses to choose the server behind it."""

    server_name: str | None
    protocols: tuple[str, ...]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, length: int) -> bytes:
        if self.at + length > len(self.data):
            raise ValueError("cut short")
        self.at += length
        return self.data[self.at - length : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> _Reader:
        return _Reader(self.take(self.number(size)))

    def __bool__(self) -> bool:
        return self.at < len(self.data)


def is_whole(data: bytes) -> bool:
    """Whether `data` holds at least one whole TLS record, or cannot be the start of one."""
    return not data.startswith(b"\x16") or (
        len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[3:5], "big")
    )


def read(data: bytes) -> Hello | None:
    """Parse the ClientHello at the start of `data`; None if the first record holds none."""
    try:
        record = _Reader(data)
        if record.number(1) != 22:
            return None
        record.take(2)
        message = record.vector(2)
        if message.number(1) != 1:
            return None
        body = message.vector(3)
        body.take(34)
        body.vector(1)
        body.vector(2)
        body.vector(1)
        return _extensions(body.vector(2))
    except ValueError:
        return None


def _extensions(extensions: _Reader) -> Hello:
    name: str | None = None
    protocols: list[str] = []
    while extensions:
        kind, value = extensions.number(2), extensions.vector(2)
        if kind == 0:
            names = value.vector(2)
            names.take(1)
            inner = names.vector(2)
            name = inner.take(len(inner.data)).decode("latin-1")
        elif kind == 16:
            offered = value.vector(2)
            while offered:
                one = offered.vector(1)
                protocols.append(one.take(len(one.data)).decode("latin-1"))
    return Hello(name, tuple(protocols))
