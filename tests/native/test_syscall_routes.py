"""syscall() knows every door: a number that has a door of its own goes through it."""

from __future__ import annotations

import re

from tests.support import ROOT

NATIVE = ROOT / "layer" / "native"

# Doors that are not the system call of their name: they are made of others, or of nothing.
COMPOSED = {
    "daemon", "forkpty", "remove", "mkfifo", "mkfifoat", "lchmod", "lutimes", "umount", "send", "recv", "_Fork",
    "closefrom", "execv", "execvp", "execvpe", "execl", "execlp", "execle", "fexecve",
}  # fmt: skip
# Families of libc functions that no system call is named after.
LIBRARY = {
    *("streams", "addrinfo", "hosts", "queries", "nss", "remote", "spawning", "start", "syscalls"),
    *("databases", "loader", "printing", "variables", "asynchronous"),
}
LISTINGS = {"inotify_add_watch", "fanotify_mark"}
# System calls that are answered apart from the table of routes.
APART = {"clone": "SYS_clone", "ptrace": "[SYS_ptrace]", "__libc_start_main": ""}


def doors() -> list[tuple[str, str]]:
    """Symbol and family of each door that is no second name of another."""
    rows = []
    for line in (NATIVE / "doors.table").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 5 and not line.startswith("#") and cells[3] == "-":
            rows.append((cells[0], cells[1]))
    return rows


def test_every_door_that_is_a_system_call_has_a_route() -> None:
    source = (NATIVE / "syscalls.c").read_text()
    routed = set(re.findall(r"\[(?:SYS|NUMBER)_(\w+)\] = ", source))
    routed = {name.lower() for name in routed}
    missing = []
    for symbol, family in doors():
        if family in LIBRARY or symbol in COMPOSED or symbol.startswith("__"):
            continue
        if family == "listings" and symbol not in LISTINGS:
            continue
        if family == "code" and symbol.startswith("dl"):
            continue
        if symbol == "fdopen":
            continue
        if symbol in APART:
            assert APART[symbol] in source
            continue
        if symbol not in routed:
            missing.append(symbol)
    assert missing == []


def test_every_route_has_a_handler_of_its_name() -> None:
    source = (NATIVE / "syscalls.c").read_text()
    for number, route in re.findall(r"\[(?:SYS|NUMBER)_(\w+)\] = route_(\w+),", source):
        assert route in {number.lower(), "integrity", "io_uring", "too_new"}
