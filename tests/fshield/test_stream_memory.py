"""The streaming reader needs constant memory, and returns an event when its line has ended."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, cast

import pytest

from fshield.evidence.stream import EventReader
from tests.fshield.test_stream import event


class Endless(io.RawIOBase):
    """A log that is produced while it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def read(self, size: int = -1) -> bytes:
        return next(self._parts, b"")


@pytest.mark.parametrize("shape", ["lines", "no line end", "one record", "others", "no brace"])
def test_memory_is_constant(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fshield.evidence.stream.MAX_PIECE", 200_000)
    ours = event(details={"host": "h" * 200}).encode()
    part = {
        "lines": (ours + b"\n") * 50,
        "no line end": ours * 50,
        "one record": json.dumps(ours.decode()).encode() * 50,
        "others": b"INFO something happened\n" * 3000,
        "no brace": b"x" * 70_000,
    }[shape]
    # Pieces of odd sizes, so that they end anywhere in an event.
    whole = part * 120
    parts = (whole[at : at + 60_013] for at in range(0, len(whole), 60_013))
    reader = EventReader()
    tracemalloc.start()
    try:
        kinds = Counter(r.event["event"] for r in reader.stream(cast(BinaryIO, Endless(parts))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000 < len(whole) / 2
    assert reader.counts.bytes == len(whole)
    assert kinds == ({} if shape in ("others", "no brace") else {"violation": 120 * 50})


def test_a_pipe_gives_what_it_has() -> None:
    """The reader returns an event when its line has ended, not when a buffer is full."""
    out, into = os.pipe()
    with os.fdopen(out, "rb") as stream, os.fdopen(into, "wb", buffering=0) as pipe:
        records = EventReader().stream(stream)
        for number in range(3):
            pipe.write(event(number).encode() + b"\n")
            assert next(records).event["seq"] == number
