"""A zip that is the same bytes from the same contents on every machine.

Entries are sorted, dated 1980, and compressed by the pinned zopfli.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from functools import cache

import zopfli.zlib

# 1980-01-01, the earliest date that the format can say.
_TIME, _DATE = 0, 0x21
_DEFLATED, _VERSION = 8, 20
_UNIX = 3


@cache
def _packed(data: bytes) -> bytes:
    """`data` as raw deflate. zopfli is slow, and four wheels hold the same files."""
    # A zlib stream is a header of two bytes, raw deflate, and a checksum of four.
    # The core has more parts that differ than the 15 blocks that zopfli makes by itself, and more
    # rounds than its 15 save some 50 bytes in two seconds.
    return bytes(zopfli.zlib.compress(data, numiterations=60, blocksplittingmax=40)[2:-4])


def archive(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """The zip of ``files``: each entry's bytes and mode, by its path. The format is PKWARE's
    APPNOTE.TXT, 4.3."""
    body, directory = bytearray(), bytearray()
    for path in sorted(files):
        data, mode = files[path]
        packed = _packed(data)
        name = path.encode("ascii")
        common = struct.pack(
            "<HHHHHIIIHH",
            _VERSION,
            0,
            _DEFLATED,
            _TIME,
            _DATE,
            zlib.crc32(data),
            len(packed),
            len(data),
            len(name),
            0,
        )
        place = len(body)
        body += b"PK\x03\x04" + common + name + packed
        directory += b"PK\x01\x02" + struct.pack("<H", _UNIX << 8 | _VERSION) + common
        directory += struct.pack("<HHHII", 0, 0, 0, (0o100000 | mode) << 16, place) + name
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), len(body), 0)
    return bytes(body + directory + b"PK\x05\x06" + end)
