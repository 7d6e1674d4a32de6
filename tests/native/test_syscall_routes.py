"""syscall() knows every door: a number that has a door of its own goes through it."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.support import ROOT

NATIVE = ROOT / "layer" / "native"

# Guarded without a route of its own: clone and clone3 are answered before the table, since their child returns as well.
APART = {"clone", "clone3"}
# Numbers that newer headers than ours name: the source has them by hand.
BY_HAND = re.compile(r"^#define NUMBER_(\w+) \d+$", re.MULTILINE)


def doors() -> set[str]:
    """Symbol of each door, second names too."""
    lines = (NATIVE / "doors.table").read_text().splitlines()
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if not line.startswith("#")]
    return {cells[0] for cells in rows if len(cells) == 5}


def source() -> str:
    return (NATIVE / "syscalls.c").read_text()


def routed() -> set[str]:
    """The system calls in the table of routes."""
    return {name.lower() for name in re.findall(r"\[(?:SYS|NUMBER)_(\w+)\] = ", source())}


def system_calls() -> set[str]:
    """What the kernel has under a name, by the headers of the compiler that builds the core, on either architecture."""
    names = {name.lower() for name in BY_HAND.findall(source())}
    for target in ("x86_64-linux-gnu", "aarch64-linux-gnu"):
        command = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-dM", "-E", "-include", "asm/unistd.h"]
        said = subprocess.run([*command, "-x", "c", "/dev/null"], capture_output=True, text=True, check=True).stdout
        names |= set(re.findall(r"^#define __NR_(\w+) \S", said, re.MULTILINE))
    return names


def test_every_door_that_is_a_system_call_has_a_route() -> None:
    """The others (getaddrinfo, fopen, posix_spawn) make system calls of other names, which have theirs."""
    kernel = system_calls()
    assert {"openat", "connect", "execve"} <= kernel
    named = {door for door in doors() if door in kernel}
    assert len(named) > 80
    assert sorted(named - routed() - APART) == []
    for name in APART:
        assert re.search(rf"number == (SYS|NUMBER)_{name}\b", source(), re.IGNORECASE)


# Routes to what libc 2.17 or any libc has no function for: there is no plain call that a door could miss.
NO_FUNCTION = {"openat2", "fchmodat2", "io_submit"}


def test_every_other_route_has_a_door_of_its_name() -> None:
    """A call that is judged by its number only would pass under its name."""
    table = re.findall(r"\[(?:SYS|NUMBER)_(\w+)\] = route_(\w+),", source())
    judged = {name.lower() for name, route in table if route not in {"integrity", "io_uring", "too_new"}}
    assert judged - doors() == NO_FUNCTION


def test_every_route_has_a_handler_of_its_name() -> None:
    for number, route in re.findall(r"\[(?:SYS|NUMBER)_(\w+)\] = route_(\w+),", source()):
        assert route in {number.lower(), "integrity", "io_uring", "too_new"}
