"""syscall() knows every door: if a system call has a door, its number leads there."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support import ROOT, core_file

sys.path.append(str(ROOT / "layer"))
import zig

# Guarded, but not in the table of routes: clone and clone3 are handled earlier, because their child
# returns as well.
APART = {"clone", "clone3"}
# libc's function of this name does something else. syslog writes to the system's log, while the
# system call reads the kernel's log. mq_notify starts a thread that calls back, while the kernel
# sends a signal, or a message to a socket of the caller's.
NAMESAKES = {"mq_notify", "syslog"}
# Numbers that are newer than the build's headers. The source defines them by hand.
BY_HAND = re.compile(r"^#define NUMBER_(\w+) \d+$", re.MULTILINE)


def doors() -> set[str]:
    """The symbol of each door, including second names."""
    return {door.symbol for door in zig.doors.read()}


def from_table() -> set[str]:
    """The doors for which the table says that syscall() leads the system call of the same name to
    them."""
    return {door.symbol for door in zig.doors.read() if "number" in door.number}


def source() -> str:
    return core_file("syscalls.c").read_text()


def routed() -> set[str]:
    """The system calls in the table of routes."""
    by_hand = re.findall(r"\[(?:SYS|NUMBER)_(\w+)\] = ", source())
    return {name.lower() for name in by_hand} | from_table()


@cache
def numbers(target: str) -> dict[str, int]:
    """The kernel's numbers, from the headers of the compiler that builds the core."""
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        target,
        "-dM",
        "-E",
        "-include",
        "asm/unistd.h",
    ]
    output = subprocess.run(
        [*command, "-x", "c", "/dev/null"], capture_output=True, text=True, check=True
    ).stdout
    found = re.findall(r"^#define __NR_(\w+) (\S+)", output, re.MULTILINE)
    return {name: int(value) if value.isdigit() else -1 for name, value in found}


def system_calls() -> set[str]:
    """The names of system calls on either architecture."""
    names = {name.lower() for name in BY_HAND.findall(source())}
    for target in ("x86_64-linux-gnu", "aarch64-linux-gnu"):
        names |= numbers(target).keys()
    return names


def test_every_door_that_is_a_system_call_has_a_route() -> None:
    """The other doors (getaddrinfo, fopen, posix_spawn) make system calls of other names, which
    have their own routes."""
    kernel = system_calls()
    assert {"openat", "connect", "execve"} <= kernel
    named = {door for door in doors() if door in kernel}
    assert len(named) > 80
    assert sorted(named - routed() - APART - NAMESAKES) == []
    for name in APART:
        assert re.search(rf"number == (SYS|NUMBER)_{name}\b", source(), re.IGNORECASE)


# Routes for system calls without a function in libc 2.17, or in any libc. No plain call can bypass
# a door that does not exist.
NO_FUNCTION = {"fchmodat2", "io_submit"}


def test_routes_are_generated(tmp_path: Path) -> None:
    zig.doors.write(tmp_path)
    rows = (tmp_path / "route_rows.gen.h").read_text()
    names = from_table()
    assert len(names) > 50
    for name in names:
        assert re.search(rf"\] = route_{name},$", rows, re.MULTILINE)


@pytest.mark.parametrize("target", ["x86_64-linux-gnu", "aarch64-linux-gnu"])
def test_numbers_in_the_table_are_the_kernels(target: str) -> None:
    kernel = numbers(target)
    for door in zig.doors.read():
        if "number" in door.number and door.symbol in kernel:
            for word in door.number:
                assert not word.isdigit() or int(word) == kernel[door.symbol]
        assert "old" not in door.number or door.symbol not in numbers("aarch64-linux-gnu")


def test_every_other_route_has_a_door_of_its_name() -> None:
    """Otherwise syscall() would be judged, but not libc's function of the same name."""
    table = re.findall(r"\[(?:SYS|NUMBER)_(\w+)\] = route_(\w+),", source())
    judged = {
        name.lower() for name, route in table if route not in {"integrity", "io_uring", "too_new"}
    }
    assert judged - doors() == NO_FUNCTION


def test_every_route_has_a_handler_of_its_name() -> None:
    routes = re.findall(r"\[(?:SYS|NUMBER)_(\w+)\] = route_(\w+),", source())
    assert routes
    for number, route in routes:
        assert route in {number.lower(), "integrity", "io_uring", "too_new"}
