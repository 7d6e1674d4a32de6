"""Plays the outside: sockets that note who connects, and a name server that notes its questions.

Runs in the runner, and as a program inside a network namespace. Uses the standard library only.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import threading
from collections.abc import Callable
from pathlib import Path

OUTSIDE = "127.66.66.66"
# The address of every name that is not below evil.example.
ALLOWED = "127.66.66.67"
RESOLVER = "127.66.66.53"
# A second name server, for attacks through IPv6. libc asks the first one.
RESOLVER6 = "fd66::53"
# The address of the instance metadata service. The name metadata.wide.example leads there too.
METADATA = "169.254.169.254"
OUTSIDE6 = "fd66::66"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nLambda-Runtime-Aws-Request-Id: 1\r\nConnection:"
    b" close\r\n\r\nok"
)


class Sinks:
    """Listens until it is closed. ``seen`` then holds what arrived, by the names of
    ``corpus.Proof``."""

    def __init__(self, *, namespace: bool = False) -> None:
        self.seen: dict[str, list[str]] = {
            name: [] for name in ("sink", "udp", "sink6", "api", "query")
        }
        self._selector = selectors.DefaultSelector()
        self._opened: list[socket.socket] = []
        self.tcp = self._listen("sink", OUTSIDE, socket.AF_INET)
        self.api = self._listen("api", "127.0.0.1", socket.AF_INET)
        self.udp = self._receive("udp", OUTSIDE, 0, self._note_datagram)
        self.tcp6 = ""
        if namespace:
            self.tcp6 = self._listen("sink6", OUTSIDE6, socket.AF_INET6)
            self._receive("query", RESOLVER, 53, self._answer_query)
            self._receive("query", RESOLVER6, 53, self._answer_query)
            self._listen("query", RESOLVER, socket.AF_INET, 53)
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _listen(self, name: str, host: str, family: int, port: int = 0) -> str:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(64)
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, lambda: self._take(name, listener))
        self._opened.append(listener)
        return f"{'[' + host + ']' if ':' in host else host}:{listener.getsockname()[1]}"

    def _receive(
        self, name: str, host: str, port: int, take: Callable[[str, socket.socket], None]
    ) -> str:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        receiver = socket.socket(family, socket.SOCK_DGRAM)
        receiver.bind((host, port))
        receiver.setblocking(False)
        self._selector.register(receiver, selectors.EVENT_READ, lambda: take(name, receiver))
        self._opened.append(receiver)
        return f"{host}:{receiver.getsockname()[1]}"

    def _take(self, name: str, listener: socket.socket) -> None:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        # A connection is a leak, even if it carried no bytes.
        self.seen[name].append("connected")
        peer.setblocking(False)
        self._selector.register(peer, selectors.EVENT_READ, lambda: self._hear(name, peer))
        self._opened.append(peer)

    def _hear(self, name: str, peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            received = peer.recv(65536)
            if received:
                self.seen[name].append(received.decode("latin-1"))
            if received.startswith((b"GET", b"POST", b"PUT", b"HEAD")):
                peer.sendall(
                    ANSWER if name != "api" else ANSWER.replace(b"Connection: close\r\n", b"")
                )
            if name == "api" and received:
                return  # plays the Runtime API: another request may follow
        self._selector.unregister(peer)
        peer.close()

    def _note_datagram(self, name: str, receiver: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self.seen[name].append(receiver.recv(65536).decode("latin-1"))

    def _answer_query(self, name: str, receiver: socket.socket) -> None:
        with contextlib.suppress(OSError, IndexError):
            question, peer = receiver.recvfrom(65536)
            at, labels = 12, []
            while question[at]:
                labels.append(question[at + 1 : at + 1 + question[at]].decode("latin-1"))
                at += 1 + question[at]
            asked = question[12 : at + 5]
            # The name as spelled in the question, and the bytes after the question.
            self.seen[name].append(".".join(labels) + question[at + 5 :].decode("latin-1"))
            answer = OUTSIDE if "evil" in labels else METADATA if "metadata" in labels else ALLOWED
            kind = asked[-4:-2]
            data = {
                b"\0\x01": socket.inet_aton(answer),
                b"\0\x0c": b"\x04host\x04evil\x07example\0",
            }.get(kind)
            record = (
                b"\xc0\x0c" + kind + b"\0\x01\0\0\0\x3c" + bytes([0, len(data)]) + data
                if data
                else b""
            )
            counts = b"\0\x01" + (b"\0\x01" if data else b"\0\0") + b"\0\0\0\0"
            receiver.sendto(question[:2] + b"\x81\x80" + counts + asked + record, peer)

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                key.data()

    def close(self) -> dict[str, list[str]]:
        """Take in everything that has arrived, and stop."""
        self._wake.send(b".")
        self._thread.join()
        for _ in range(64):
            ready = [key for key, _ in self._selector.select(0) if key.data is not None]
            if not ready:
                break
            for key in ready:
                key.data()
        for opened in [*self._opened, self._wake, self._woken]:
            opened.close()
        self._selector.close()
        return self.seen

    def environment(self) -> dict[str, str]:
        """The variables that tell programs where the sinks are."""
        return {
            "ATTACK_SINK": self.tcp,
            "ATTACK_SINK_UDP": self.udp,
            "ATTACK_SINK6": self.tcp6,
            "ATTACK_RESOLVER": RESOLVER,
            "ATTACK_RESOLVER6": RESOLVER6,
            "AWS_LAMBDA_RUNTIME_API": self.api,
        }

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.seen))
