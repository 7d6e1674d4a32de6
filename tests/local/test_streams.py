"""What a function has written belongs to the invocation that wrote it, also on a busy machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fshield.local import container, emulator


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


class LateContainer:
    """Its output comes a while after the response, as through a Docker daemon that has to wait."""

    def attach(self, **_: object) -> Iterator[tuple[bytes | None, bytes | None]]:
        yield None, b"30 Nov 2026 03:44:29,768 [INFO] (rapid) exec '/var/runtime/bootstrap'\n"
        for number in range(2):
            time.sleep(0.3)
            yield b"out %d\n" % number, None
            yield None, b"err %d\n30 Nov 2026 03:44:30,051 [INFO] (rapid) INVOKE RT" % number
            yield None, b"DONE(status: success)\n"
        yield None, b"at the end\n"


def test_output_that_docker_hands_on_late() -> None:
    output = container._Output(LateContainer())
    time.sleep(0.05)
    for number in range(2):
        output.begins()
        output.settle()
        stdout, stderr, _ = output.take()
        assert (stdout, stderr.splitlines()[0]) == (b"out %d\n" % number, b"err %d" % number)
    assert len(output.emulator) == 3


def test_ports_that_nobody_else_is_given() -> None:
    """The emulator binds them some time after they were chosen."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    if lowest < 32768:
        pytest.skip("the kernel's range leaves too few ports")
    assert all(port < lowest for _ in range(50) for port in emulator.free_ports(2))
