"""What a function has written belongs to the invocation that wrote it, also on a busy machine."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from fshield.local import emulator


def test_output_that_is_read_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading thread gets the processor later than the thread that waits for it."""

    def read_late(fd: int, size: int) -> bytes:
        content = os.read(fd, 1)
        time.sleep(0.2)
        return content

    streams = emulator._Streams(tmp_path)
    monkeypatch.setattr(emulator, "os", type("Late", (), {**vars(os), "read": read_late}))
    try:
        with (tmp_path / "stderr").open("wb") as pipe:
            pipe.write(b"late\n")
        streams.settle()
        assert streams.take()[1] == b"late\n"
    finally:
        monkeypatch.undo()
        streams.close()


def test_ports_that_nobody_else_is_given() -> None:
    """The emulator binds them some time after they were chosen."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    if lowest < 32768:
        pytest.skip("the kernel's range leaves too few ports")
    assert all(port < lowest for _ in range(50) for port in emulator._free_ports(2))
