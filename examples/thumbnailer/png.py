"""Reads and writes PNG pictures of eight bits a channel, RGB, not interlaced (W3C PNG, third
edition)."""

import struct
import zlib
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = 3
MAX_PIXELS = 1 << 24


@dataclass(frozen=True)
class Picture:
    """Rows of RGB bytes."""

    width: int
    height: int
    rows: list


def decode(data):
    """The picture in `data`. Raises ValueError if this module cannot read it."""
    if data[:8] != SIGNATURE:
        raise ValueError("not a PNG")
    header, body, at = None, bytearray(), 8
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", content)
        elif kind == b"IDAT":
            body += content
        at += 12 + size
    if header is None or header[2:] != (8, 2, 0, 0, 0):
        raise ValueError("only RGB of eight bits, not interlaced")
    width, height = header[:2]
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError("too large")
    return Picture(
        width, height, list(_unfilter(zlib.decompress(bytes(body)), width * CHANNELS, height))
    )


def _unfilter(raw, stride, height):
    before = bytearray(stride)
    for y in range(height):
        start = y * (stride + 1)
        kind, row = raw[start], bytearray(raw[start + 1 : start + 1 + stride])
        for x in range(stride):
            left = row[x - CHANNELS] if x >= CHANNELS else 0
            corner = before[x - CHANNELS] if x >= CHANNELS else 0
            row[x] = (row[x] + _predicted(kind, left, before[x], corner)) & 255
        before = row
        yield bytes(row)


def _predicted(kind, left, up, corner):
    if kind == 4:
        guess = left + up - corner
        near = min(
            (abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner)
        )
        return near[2]
    return (0, left, up, (left + up) // 2)[kind]


def encode(picture):
    """The bytes of a PNG file."""
    header = struct.pack(">IIBBBBB", picture.width, picture.height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in picture.rows))
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind, content):
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def halve(picture):
    """A picture of half the width and half the height. Each pixel is the mean of four."""
    width, height = max(1, picture.width // 2), max(1, picture.height // 2)
    rows = []
    for y in range(height):
        upper = picture.rows[2 * y]
        lower = picture.rows[min(2 * y + 1, picture.height - 1)]
        row = bytearray()
        for x in range(width):
            near, far = 2 * x * CHANNELS, min(2 * x + 1, picture.width - 1) * CHANNELS
            for c in range(CHANNELS):
                row.append(
                    (upper[near + c] + upper[far + c] + lower[near + c] + lower[far + c]) // 4
                )
        rows.append(bytes(row))
    return Picture(width, height, rows)
