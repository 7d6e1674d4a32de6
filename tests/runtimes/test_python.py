"""Lambda's own runtime client for Python forks its workers on Managed Instances."""

from __future__ import annotations

import contextlib
import errno
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from fshield.local import components, pins
from tests.runtimes.api import serve
from tests.support import SCRATCH, interpreters

HANDLER = """
import os, socket, subprocess, time
def code(act):
    try: act()
    except PermissionError: return "EACCES"
    return "passed"
def fork():
    if os.fork() == 0: os._exit(0)
def handler(event, context):
    print("worker", os.getpid())
    time.sleep(0.05)
    return {"event": event, "pid": os.getpid(), "rules": [
        code(lambda: open("/tmp/function-shield-python", "w")),
        code(lambda: subprocess.run(["/usr/bin/true"])),
        code(fork),
        code(lambda: open(__file__)),
        code(lambda: socket.create_connection(("127.66.66.66", 9))),
    ]}
"""


class Logs:
    """The AF_UNIX socket that workers write logs to."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "logs"
        self._connections: list[bytearray] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.path))
        self._server.listen(64)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def received(self) -> bytes:
        """What has arrived, one connection after the other."""
        return b"\n".join(map(bytes, self._connections))

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        self._connections.append(received := bytearray())
        with connection, contextlib.suppress(OSError):
            while more := connection.recv(4096):
                received += more

    def wait_for(self, words: Iterable[bytes]) -> bool:
        """Whether all `words` arrive: what is sent is read later, by another thread."""
        wanted, end = list(words), time.monotonic() + 20
        while not (found := all(word in self.received for word in wanted)):
            if time.monotonic() > end:
                break
            time.sleep(0.02)
        return found

    def close(self) -> None:
        """Accept no more connections."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()


@pytest.fixture
def logs() -> Iterator[Logs]:
    SCRATCH.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="l", dir=SCRATCH))
    made = Logs(folder)
    yield made
    made.close()
    shutil.rmtree(folder)


@pytest.fixture(
    params=[
        one
        for one in interpreters()
        if components.python_version(one) <= pins.RUNTIME_CLIENT_NEWEST
    ],
    ids=lambda path: path.name,
)
def every(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


# Managed Instances have Python 3.13 and newer.
MANAGED = [one for one in interpreters() if components.python_version(one) >= (3, 13)]


@pytest.mark.parametrize("policy", ["default", "strict"])
@pytest.mark.parametrize("python", MANAGED, ids=lambda path: path.name)
def test_managed_instances(python: Path, policy: str, tmp_path: Path, logs: Logs) -> None:
    client = components.runtime_client(python, components.python_version(python))
    (tmp_path / "app.py").write_text(HANDLER)
    events = list(range(24))
    done = serve(
        [python, client / "bootstrap.py", client / "opt"],
        task=tmp_path,
        events=events,
        policy=policy,
        pollers=4,
        env={
            "AWS_LAMBDA_MAX_CONCURRENCY": "4",
            "LAMBDA_RUNTIME_DIR": str(client),
            "_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET": str(logs.path),
        },
    )
    assert sorted(body["event"] for body in done.bodies) == events, done.output
    assert {tuple(body["rules"]) for body in done.bodies} == {("EACCES",) * 5}, done.bodies
    workers = {body["pid"] for body in done.bodies}
    assert len(workers) == 4
    # Workers write to the socket. The events go there too if the guard follows fd 2.
    assert logs.wait_for(b"worker %d" % worker for worker in workers)
    received = done.output + logs.received.decode()
    named = {event["policy"] for event in done.violations}
    assert "read_write_tmp" in named or '"policy":"read_write_tmp"' in received


BESIDE_CLIENT = """
import os, socket
PORT = int(os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")[1])
def clients():
    for fd in range(3, 64):
        try:
            one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=fd)
        except OSError:
            continue
        try:
            if one.getpeername()[1] == PORT:
                return one
        except (OSError, IndexError):
            pass
        one.detach()
def code(act, *arguments):
    try:
        act(*arguments)
    except OSError as error:
        return error.errno
    return 0
def handler(event, context):
    own, room = clients(), bytearray(4)
    fd, (inward, outward) = own.fileno(), os.pipe()
    codes = [
        code(own.recv, 1), code(own.recv, 1, socket.MSG_PEEK), code(own.recvfrom, 1),
        code(own.recvmsg, 1), code(own.recv_into, room), code(os.read, fd, 1),
        code(os.readv, fd, [room]), code(os.preadv, fd, [room], -1),
        code(os.splice, fd, outward, 1) if hasattr(os, "splice") else {none},
        code(os.fdopen(fd, "rb", closefd=False).read, 1),
    ]
    own.detach()
    return codes
"""


@pytest.mark.parametrize("policy", ["monitor", "strict"])
def test_only_the_client_receives(every: Path, policy: str, tmp_path: Path) -> None:
    """Nothing is there to be read while the handler runs: without the guard it is EAGAIN."""
    client = components.runtime_client(every, components.python_version(every))
    expected = errno.EACCES if policy == "strict" else errno.EAGAIN
    (tmp_path / "app.py").write_text(BESIDE_CLIENT.replace("{none}", str(expected)))
    done = serve(
        [every, client / "bootstrap.py", client / "opt"],
        task=tmp_path,
        events=[1, 2],
        policy=policy,
        env={"LAMBDA_RUNTIME_DIR": str(client)},
    )
    # A file that has no bytes yet reads as None.
    assert [body[:-1] for body in done.bodies] == [[expected] * 9] * 2, done.output
    assert {body[-1] for body in done.bodies} == {errno.EACCES if policy == "strict" else 0}
    assert {event["policy"] for event in done.violations} == {"runtime_api"}


THREADS_AT_FDS = """
import os, threading, time
def work():
    while True:
        for _ in range(50):
            os.close(os.dup(0))
        time.sleep(0.001)
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
def handler(event, context):
    return event
"""


def test_the_client_connects_beside_threads_that_duplicate_fds(every: Path, tmp_path: Path) -> None:
    client = components.runtime_client(every, components.python_version(every))
    (tmp_path / "app.py").write_text(THREADS_AT_FDS)
    done = serve(
        [every, client / "bootstrap.py", client / "opt"],
        task=tmp_path,
        events=[1, 2, 3],
        policy="strict",
        env={"LAMBDA_RUNTIME_DIR": str(client)},
    )
    assert (done.bodies, done.violations) == ([1, 2, 3], []), done.output
