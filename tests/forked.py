"""Runs ``python -m fshield`` without the imports, which take a second.

Each run is a separate process, forked from one that has imported everything (forked_server.py).
Arguments, environment, folder, streams, signals and exit status work as for any process.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Variables that an interpreter reads at start, but a fork does not. Then the exceptions, which
# forked_server.py obeys.
_OF_INTERPRETERS = ("PYTHON", "LD_")
_TAKEN = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONUNBUFFERED")
_OF_LANGUAGES = ("LC_", "LANG")


class Process:
    """A process that was started. ``communicate`` waits for it."""

    def __init__(self, words: Sequence[str], pid: int, status: int, pipes: Mapping[str, int]):
        self.words = list(words)
        self.pid = pid
        self.returncode: int | None = None
        self._status = status
        self._pipes = dict(pipes)

    def send_signal(self, number: int) -> None:
        """As Popen.send_signal."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def poll(self) -> int | None:
        """The exit status; None while the process runs."""
        if self.returncode is None and _readable(self._status, 0):
            self._take_status()
        return self.returncode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """The process's standard output and error, after it has ended. Kills it after `timeout`
        seconds."""
        end = time.monotonic() + timeout
        output = {name: bytearray() for name in self._pipes}
        with selectors.DefaultSelector() as selector:
            for name, pipe in self._pipes.items():
                selector.register(pipe, selectors.EVENT_READ, name)
            while selector.get_map():
                if not (ready := selector.select(max(0, end - time.monotonic()))):
                    self._kill_and_raise(timeout)
                for key, _ in ready:
                    if content := os.read(key.fd, 1 << 16):
                        output[key.data] += content
                    else:
                        selector.unregister(key.fd)
                        os.close(key.fd)
        if self.returncode is None:
            if not _readable(self._status, max(0, end - time.monotonic())):
                self._kill_and_raise(timeout)
            self._take_status()
        # Universal newlines, as with text=True.
        out, err = (
            bytes(output[name]).decode().replace("\r\n", "\n").replace("\r", "\n")
            for name in ("out", "err")
        )
        return out, err

    def _kill_and_raise(self, timeout: float) -> None:
        self.send_signal(signal.SIGKILL)
        raise subprocess.TimeoutExpired(self.words, timeout)

    def _take_status(self) -> None:
        with os.fdopen(self._status) as stream:
            ended = json.loads(stream.read())
        self.returncode = ended["status"]
        _server.used += ended["used"]


class _Server:
    """The process that forks. It starts when it is first needed."""

    def __init__(self) -> None:
        self.used = 0.0  # CPU seconds used by processes that have ended
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def start(
        self, words: Sequence[str], env: Mapping[str, str], cwd: str, fds: Sequence[int]
    ) -> tuple[int, int]:
        """Fork. Returns the pid, and the fd from which to read the exit status."""
        status, given = os.pipe()
        asked = json.dumps({"words": words, "env": dict(env), "cwd": cwd}).encode()
        with self._lock:
            socket.send_fds(self._connection(), [asked], [*fds, given])
        os.close(given)
        pid = b""
        while not pid.endswith(b"\n"):
            part = os.read(status, 1)
            assert part, "the process that forks has ended"
            pid += part
        return int(pid), status

    def _connection(self) -> socket.socket:
        if self._socket is None:
            # This kind of socket keeps the messages apart, with their fds.
            self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            for end in (self._socket, other):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked_server", str(other.fileno())],
                cwd=ROOT,
                env={
                    name: value
                    for name, value in os.environ.items()
                    if not name.startswith(_OF_INTERPRETERS)
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
            )
            other.close()
            atexit.register(self._end)
        return self._socket

    def _end(self) -> None:
        assert self._socket and self._process
        self._socket.close()
        self._process.wait(20)


_server = _Server()


def processor_seconds() -> float:
    """The CPU time of the processes that have ended. They are not children of this process, so the
    kernel does not count them here."""
    return _server.used


def start(
    *words: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    stdin: int = subprocess.DEVNULL,
) -> Process:
    """Start ``fshield`` with these arguments."""
    given = dict(os.environ if env is None else env)
    texts = [str(word) for word in words]
    out, out_given = os.pipe()
    err, err_given = os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY) if stdin == subprocess.DEVNULL else -1
    fds = [nothing if stdin == subprocess.DEVNULL else stdin, out_given, err_given]
    pid, status = _server.start(texts, given, str(cwd or Path.cwd()), fds)
    for fd in (out_given, err_given, *([nothing] if nothing >= 0 else [])):
        os.close(fd)
    return Process(["fshield", *texts], pid, status, {"out": out, "err": err})


def fshield(
    *words: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run ``fshield`` with these arguments, and wait. As subprocess.run with text, but without
    standard input."""
    if not _forks(os.environ if env is None else env):
        command = [sys.executable, "-m", "fshield", *map(str, words)]
        return subprocess.run(
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    process = start(*words, env=env, cwd=cwd)
    out, err = process.communicate(timeout)
    assert process.returncode is not None
    return subprocess.CompletedProcess(process.words, process.returncode, out, err)


def _forks(env: Mapping[str, str]) -> bool:
    """Whether the environment has no variable that only a new interpreter would obey."""
    languages = {name for name in {*env, *os.environ} if name.startswith(_OF_LANGUAGES)}
    return not any(
        name.startswith(_OF_INTERPRETERS) and name not in _TAKEN for name in env
    ) and all(env.get(name) == os.environ.get(name) for name in languages)


def _readable(fd: int, seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        return bool(selector.select(seconds))
