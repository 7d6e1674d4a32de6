"""Runs inside a guarded child: makes the requested acts, and prints the result of each.

Its argument is the child's world with the names of its acts, in JSON. Standard library only. Every
act is one that the policy refuses; if it does happen, it changes scratch files only, or reaches a
listener of fshield's own. The acts here go by Python's own functions: the audit hook refuses them.
"""

from __future__ import annotations

import errno
import importlib
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

# (refused, what it said)
Outcome = tuple[bool, str]


class World:
    """The targets of the acts.

    Attributes:
        file: a file under /tmp.
        folder: its folder.
        new: a path under /tmp that does not exist.
        source: a stand-in for the function's source.
        marker: a file that a child process would make.
        port: of the listeners at ``host``.
        runtime_api: host and port of a stand-in for the Runtime API.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.file: str = data["file"]
        self.folder: str = data["folder"]
        self.new: str = data["new"]
        self.source: str = data["source"]
        self.marker: str = data["marker"]
        self.host: str = data["host"]
        self.port: int = data["port"]
        self.runtime_port: int = data["runtime_port"]
        self.name: str = data["name"]
        self.touch: list[str] = data["touch"]


def _raises(expected: str, act: Callable[[], object]) -> Outcome:
    try:
        act()
    except OSError as error:
        refused = type(error).__name__ == expected and error.errno == errno.EACCES
        return refused, f"{type(error).__name__} {errno.errorcode.get(error.errno or 0, '')}"
    return False, "it happened"


def _connect(w: World) -> None:
    with socket.socket() as made:
        made.settimeout(5)
        made.connect((w.host, w.port))


def _send(w: World) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"x", (w.host, w.port))


def _ask_runtime_api(w: World) -> None:
    with socket.socket() as made:
        made.settimeout(5)
        made.connect(("127.0.0.1", w.runtime_port))
        made.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _spawn(w: World) -> None:
    os.waitpid(os.posix_spawn(w.touch[0], w.touch, {}), 0)


def _executable_memory() -> None:
    rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    mmap.mmap(-1, 4096, prot=rights).close()


INTERPRETER: dict[str, Callable[[World], object]] = {
    "open to create": lambda w: open(w.new, "w").close(),  # noqa: PTH123
    "open to read": lambda w: open(w.file).close(),  # noqa: PTH123
    "listdir": lambda w: os.listdir(w.folder),  # noqa: PTH208
    "rename": lambda w: os.rename(w.file, w.new),  # noqa: PTH104
    "chmod": lambda w: os.chmod(w.file, 0o600),  # noqa: PTH101
    "open the source": lambda w: open(w.source).close(),  # noqa: PTH123
    "connect": _connect,
    "sendto": _send,
    "ask the Runtime API": _ask_runtime_api,
    "getaddrinfo": lambda w: socket.getaddrinfo(w.name, 443),
    "fork": lambda w: _fork(),
    "posix_spawn": _spawn,
    "subprocess": lambda w: subprocess.run(w.touch, check=False),
    "import ctypes": lambda w: importlib.import_module("_ctypes"),
    "executable memory": lambda w: _executable_memory(),
    "execv": lambda w: os.execv(w.touch[0], w.touch),
}


# These raise no audit event, or one without enough detail. A door refuses, and Python reports
# EACCES.
BY_A_DOOR = ("ask the Runtime API", "executable memory")


def acts(world: World) -> dict[str, Callable[[], Outcome]]:
    """The acts by their names."""
    made: dict[str, Callable[[], Outcome]] = {}
    for name, act in INTERPRETER.items():
        expected = "PermissionError" if name in BY_A_DOOR else "PolicyViolation"
        made[name] = partial(_raises, expected, partial(act, world))
    return made


def main() -> None:
    data = json.loads(sys.argv[1])
    # Never keep fshield waiting, whatever an act does.
    signal.alarm(20)
    module = {"interpreter": __name__, "libc": "fshield.selftest.libc_acts"}[data["child"]]
    known: dict[str, Callable[[], Outcome]]
    known = importlib.import_module(module).acts(World(data["world"]))
    for name in data["acts"]:
        print(json.dumps({"begins": name}), flush=True)
        refused, outcome = known[name]()
        print(json.dumps({"act": name, "refused": refused, "said": outcome}), flush=True)
