"""The other ends in a race: the outside, a proxy, a name server, or a process that sends fds."""

from __future__ import annotations

import contextlib
import functools
import json
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path

from tests import support

OUTSIDE = "127.66.66.66"
# These cases run in a separate network, with a name server that notes its questions.
NAMED = ("query", "reverse", "question", "answer")
NAMESPACE = ("unshare", "-rnm")
INSIDE = support.ROOT / "tests" / "attacks" / "inside.py"
# libc also asks name servers about networks. It does not wait long for an answer to a question that
# changed after it was sent.
SETTINGS = """
if test -e /etc/nsswitch.conf; then
    printf 'hosts: files dns\\nnetworks: files dns\\n' >"$0.nss"
    mount --bind "$0.nss" /etc/nsswitch.conf
fi
echo 'options timeout:1 attempts:1' >>/etc/resolv.conf
exec "$@"
"""


@functools.cache
def namespaces() -> bool:
    """Whether this machine can make network namespaces."""
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


class Peer:
    """No peer: the call reaches no other process."""

    def __init__(self) -> None:
        self.environment: dict[str, str] = {}
        self.fds: list[int] = []
        self.values: tuple[str, str] | None = None  # the harmless and the hostile value

    def around(self, command: list[str]) -> list[str]:
        """A command that runs ``command`` with access to this peer."""
        return command

    def heard(self) -> str:
        """Close the peer. Returns what must not have reached it; "" for nothing."""
        return ""


class Outside(Peer):
    """Two listeners, for TCP and UDP, on one port of the address that plays the outside."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = socket.create_server((OUTSIDE, 0), backlog=256)
        port = self.stream.getsockname()[1]
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind((OUTSIDE, port))
        self.values = f"inet:127.0.0.1:{port}", f"inet:{OUTSIDE}:{port}"

    def heard(self) -> str:
        ready, _, _ = select.select([self.stream, self.datagrams], [], [], 0.02)
        self.stream.close()
        self.datagrams.close()
        return "the outside heard of it" if ready else ""


class Proxy(Peer):
    """A proxy on this machine, which notes the targets it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self.listener.getsockname()[1]
        self.environment = {
            "RACE_PORT": str(self.port),
            "HTTPS_PROXY": f"http://127.0.0.1:{self.port}",
        }
        self.asked: list[bytes] = []
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                peer, _ = self.listener.accept()
                with peer:
                    self.asked.append(peer.recv(4096))
                if self.asked[-1] == b"over":
                    return

    def heard(self) -> str:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"over")
        self.thread.join()
        self.listener.close()
        wanted = any(b"evil" in request for request in self.asked)
        return "the proxy was asked for another name" if wanted else ""


class Courier(Peer):
    """Sends a connection to the outside over one of two sockets, again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.fds = [self.theirs.fileno()]
        self.environment = {"RACE_COURIER": str(self.fds[0])}
        self.listener = socket.create_server((OUTSIDE, 0))
        self.connection = socket.create_connection(self.listener.getsockname())
        self.thread = threading.Thread(target=self._send, daemon=True)
        self.thread.start()

    def _send(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                socket.send_fds(self.ours, [b"x"], [self.connection.fileno()])

    def heard(self) -> str:
        self.theirs.close()
        self.thread.join()
        for opened in (self.ours, self.connection, self.listener):
            opened.close()
        return ""


class NameServer(Peer):
    """A name server in a separate network."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.seen, self.settings = folder / "seen", str(folder / "resolv")

    def around(self, command: list[str]) -> list[str]:
        inside = [sys.executable, str(INSIDE), str(self.seen), self.settings, "--"]
        return [*NAMESPACE, *inside, "sh", "-c", SETTINGS, self.settings, *command]

    def heard(self) -> str:
        names = json.loads(self.seen.read_text())["query"] if self.seen.exists() else []
        wanted = any("evil" in name or "66.66.66.127" in name for name in names)
        return "the name server was asked" if wanted else ""


def peer_of(there: str, folder: Path) -> Peer:
    """The peer for such a case. It may keep files in ``folder``."""
    if there in NAMED:
        return NameServer(folder)
    kinds = {"inet": Outside, "stream": Proxy, "rights": Courier}
    return kinds.get(there, Peer)()
