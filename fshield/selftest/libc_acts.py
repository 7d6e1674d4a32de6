"""Acts through libc's functions, as a native library calls them: the audit hook does not see them,
and the doors refuse.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from fshield.selftest.acts import Outcome, World

POINTER, INT = ctypes.c_void_p, ctypes.c_int


class _Address(ctypes.Structure):
    _fields_ = (
        ("family", ctypes.c_ushort),
        ("port", ctypes.c_ushort),
        ("ip", ctypes.c_ubyte * 4),
        ("rest", ctypes.c_ubyte * 8),
    )


class _Libc:
    """libc's functions as a native library calls them."""

    def __init__(self) -> None:
        self.library = ctypes.PyDLL(None, use_errno=True)

    def call(self, symbol: str, *arguments: Any, result: Any = INT) -> tuple[Any, int]:
        """The result, and errno."""
        function = self.library[symbol]
        function.restype = result
        ctypes.set_errno(0)
        return function(*arguments), ctypes.get_errno()

    def fails(self, symbol: str, *arguments: Any, result: Any = INT) -> Outcome:
        """Whether it returns -1, or NULL, and EACCES."""
        got, error = self.call(symbol, *arguments, result=result)
        failed = got is None if result is POINTER else got == -1
        outcome = f"{errno.errorcode.get(error, error)}" if failed else "it happened"
        return failed and error == errno.EACCES, outcome

    def address(self, w: World) -> Any:
        """The listener's, as connect takes it."""
        ip = (ctypes.c_ubyte * 4)(*map(int, w.host.split(".")))
        made = _Address(socket.AF_INET, socket.htons(w.port), ip)
        return ctypes.byref(made)

    def socket(self, w: World, kind: int, symbol: str, *before: Any) -> Outcome:
        """A call on a new socket, whose last arguments are the listener's address and its size."""
        with socket.socket(socket.AF_INET, kind) as made:
            made.setblocking(False)
            return self.fails(symbol, made.fileno(), *before, self.address(w), 16)

    def spawn(self, w: World) -> Outcome:
        words = (ctypes.c_char_p * (len(w.touch) + 1))(*[word.encode() for word in w.touch])
        pid = INT()
        path = w.touch[0].encode()
        got, _ = self.call("posix_spawn", ctypes.byref(pid), path, None, None, words, None)
        if got == 0:
            os.waitpid(pid.value, 0)
        return got == errno.EACCES, errno.errorcode.get(got, "it happened")

    def fork(self) -> Outcome:
        got, error = self.call("fork")
        if got == 0:
            os._exit(0)
        if got > 0:
            os.waitpid(got, 0)
        return got == -1 and error == errno.EACCES, errno.errorcode.get(error, "it happened")

    def execute(self, w: World) -> Outcome:
        words = (ctypes.c_char_p * (len(w.touch) + 1))(*[word.encode() for word in w.touch])
        return self.fails("execv", w.touch[0].encode(), words)

    def lookup(self, w: World) -> Outcome:
        found = POINTER()
        got, _ = self.call("getaddrinfo", w.name.encode(), b"443", None, ctypes.byref(found))
        return got == socket.EAI_FAIL, "EAI_FAIL" if got == socket.EAI_FAIL else f"returned {got}"

    def read_own_memory(self) -> Outcome:
        # An empty request, so that nothing is read if it is allowed.
        return self.fails("process_vm_readv", os.getppid(), None, 0, None, 0, 0)

    def numbered(self, w: World) -> Outcome:
        mkdirat = 83 if os.uname().machine == "x86_64" else 34
        before = () if mkdirat == 83 else (-100,)
        return self.fails("syscall", mkdirat, *before, w.new.encode(), 0o700)


LIBC: dict[str, Callable[[_Libc, World], Outcome]] = {
    "open": lambda c, w: c.fails("open", w.file.encode(), 0),
    "fopen": lambda c, w: c.fails("fopen", w.file.encode(), b"r", result=POINTER),
    "setmntent": lambda c, w: c.fails("setmntent", w.file.encode(), b"r", result=POINTER),
    "mkdir": lambda c, w: c.fails("mkdir", w.new.encode(), 0o700),
    "truncate": lambda c, w: c.fails("truncate", w.file.encode(), 0),
    "opendir": lambda c, w: c.fails("opendir", w.folder.encode(), result=POINTER),
    "open the source": lambda c, w: c.fails("open", w.source.encode(), 0),
    "connect": lambda c, w: c.socket(w, socket.SOCK_STREAM, "connect"),
    "sendto": lambda c, w: c.socket(w, socket.SOCK_DGRAM, "sendto", b"x", 1, 0),
    "getaddrinfo": lambda c, w: c.lookup(w),
    "gethostbyname": lambda c, w: (
        c.call("gethostbyname", w.name.encode(), result=POINTER)[0] is None,
        "NULL",
    ),
    "res_query": lambda c, w: (
        c.call("res_query", w.name.encode(), 1, 1, ctypes.create_string_buffer(512), 512)[0] == -1,
        "-1",
    ),
    "fork": lambda c, w: c.fork(),
    "posix_spawn": lambda c, w: c.spawn(w),
    "system": lambda c, w: c.fails("system", " ".join(w.touch).encode()),
    "process_vm_readv": lambda c, w: c.read_own_memory(),
    "syscall": lambda c, w: c.numbered(w),
    "execv": lambda c, w: c.execute(w),
}


def acts(world: World) -> dict[str, Callable[[], Outcome]]:
    """The acts by their names."""
    libc = _Libc()
    return {name: partial(act, libc, world) for name, act in LIBC.items()}
