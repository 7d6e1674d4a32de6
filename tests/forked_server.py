"""Imports fshield once, and forks one process for each request of forked.py.

It has only one thread, so that no lock is held at a fork.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
import time
import traceback
from typing import Any

import fshield

# Not imported: programs, and modules for other processes.
NOT_IMPORTED = ("fshield.__main__", "fshield.testing", "fshield.local.runtime_bootstrap")
SERVICES = ("lambda", "sts")


def prepare() -> None:
    """Import the modules that commands import only when they are called."""
    for found in pkgutil.walk_packages(fshield.__path__, "fshield.", onerror=lambda _: None):
        if not found.name.startswith((*NOT_IMPORTED, "fshield.templates", "fshield._native")):
            # Some imports fail if an extra of fshield is not installed.
            with contextlib.suppress(ImportError):
                importlib.import_module(found.name)
    with contextlib.suppress(ImportError):
        from fshield.fleet.api.session import session_of  # noqa: PLC0415 - where there is boto3

        for service in SERVICES:
            session_of(None, "eu-central-1", None, None).create_client(service)
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()


def streams() -> None:
    """Make the standard streams of fds 0 to 2, as a new interpreter does."""
    encoding = sys.stdout.encoding
    at_once = bool(os.environ.get("PYTHONUNBUFFERED"))
    stdin = os.fdopen(0, "rb", closefd=False)
    stdout, stderr = (os.fdopen(fd, "wb", 0 if at_once else -1, closefd=False) for fd in (1, 2))
    sys.stdin = io.TextIOWrapper(stdin, encoding)
    sys.stdout = io.TextIOWrapper(stdout, encoding, write_through=at_once)
    sys.stderr = io.TextIOWrapper(stderr, encoding, "backslashreplace", line_buffering=True)


def run(words: list[str]) -> int:
    """Run ``python -m fshield``. Returns its exit status."""
    sys.argv = ["-m", *words]
    try:
        runpy.run_module("fshield", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        status = 120  # as Python itself does
    return status & 0xFF


def become(asked: dict[str, Any], fds: list[int]) -> None:
    """Become the requested process. Does not return."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, fd in enumerate(fds[:3]):
            os.dup2(fd, number)
        os.closerange(3, max(fds) + 100)
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["env"])
        time.tzset()
        sys.dont_write_bytecode = bool(asked["env"].get("PYTHONDONTWRITEBYTECODE"))
        paths = asked["env"].get("PYTHONPATH", "")
        sys.path[:1] = [asked["cwd"], *filter(None, paths.split(os.pathsep))]
        streams()
        status = run(asked["words"])
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def reap(waiting: dict[int, int]) -> None:
    """Report the status of each child that has ended."""
    while waiting:
        pid, status, used = os.wait4(-1, os.WNOHANG)
        if pid == 0:
            return
        report = {
            "status": os.waitstatus_to_exitcode(status),
            "used": used.ru_utime + used.ru_stime,
        }
        # The test may have ended.
        with contextlib.suppress(BrokenPipeError), os.fdopen(waiting.pop(pid), "w") as stream:
            stream.write(json.dumps(report))


def serve(connection: socket.socket) -> None:
    """Fork for each message, until the other end is closed."""
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    waiting: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([connection.fileno(), awake], [], [])
        if awake in ready:
            os.read(awake, 4096)
            reap(waiting)
        if connection.fileno() in ready:
            message, fds, _, _ = socket.recv_fds(connection, 1 << 20, 4)
            if not message:
                return
            pid = os.fork()
            if pid == 0:
                become(json.loads(message), fds)
            for fd in fds[:3]:
                os.close(fd)
            waiting[pid] = fds[3]
            os.write(fds[3], b"%d\n" % pid)


if __name__ == "__main__":
    prepare()
    serve(socket.socket(fileno=int(sys.argv[1])))
