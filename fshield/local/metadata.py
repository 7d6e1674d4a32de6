"""Lambda's metadata endpoint, which the Runtime Interface Emulator lacks.

It has the Runtime API's own address and port. So a server in front of the emulator's Runtime API
answers that one request, and forwards every other connection byte for byte.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-metadata-endpoint.html
"""

from __future__ import annotations

import contextlib
import json
import secrets
import selectors
import socket
import socketserver
import threading

PATH = "/2026-01-15/metadata/execution-environment"
_REQUEST = f"GET {PATH} HTTP/1.1".encode()
_MAX_HEAD = 16 << 10
_CONNECT_S = 10.0
#: An answer as in us-east-1.
_ANSWER = {"AvailabilityZoneID": "use1-az1"}


class Metadata(socketserver.ThreadingTCPServer):
    """Listens on a port of 127.0.0.1 in front of the emulator's Runtime API, until closed."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, behind: int) -> None:
        self.behind = behind
        self.token = secrets.token_hex(16)
        super().__init__(("127.0.0.1", 0), _Connection)
        threading.Thread(target=self.serve_forever, name="metadata endpoint", daemon=True).start()

    @property
    def place(self) -> str:
        """HOST:PORT, for AWS_LAMBDA_RUNTIME_API and AWS_LAMBDA_METADATA_API."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    def server_close(self) -> None:
        """Stop, and close what is open."""
        self.shutdown()
        super().server_close()


class _Connection(socketserver.BaseRequestHandler):
    server: Metadata
    request: socket.socket

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            head = self._head()
            if head.startswith(_REQUEST):
                self._answer(head)
            elif head:
                self._pass_on(head)

    def _head(self) -> bytes:
        """Read the first bytes; a complete head, if it may be the request that is answered here."""
        head = b""
        while len(head) < _MAX_HEAD:
            more = self.request.recv(4096)
            head += more
            begins = _REQUEST.startswith(head) or head.startswith(_REQUEST)
            if not more or not begins or b"\r\n\r\n" in head:
                break
        return head

    def _answer(self, head: bytes) -> None:
        lines = {line.strip().lower() for line in head.split(b"\r\n")}
        allowed = f"authorization: bearer {self.server.token}".encode() in lines
        status = "200 OK" if allowed else "401 Unauthorized"
        body = json.dumps(_ANSWER if allowed else {"message": "Unauthorized"}).encode()
        self.request.sendall(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    def _pass_on(self, head: bytes) -> None:
        with (
            socket.create_connection(("127.0.0.1", self.server.behind), _CONNECT_S) as behind,
            selectors.DefaultSelector() as selector,
        ):
            behind.settimeout(None)
            behind.sendall(head)
            others = {self.request: behind, behind: self.request}
            for each in others:
                selector.register(each, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select():
                    side = key.fileobj
                    assert isinstance(side, socket.socket)
                    more = side.recv(1 << 16)
                    if more:
                        others[side].sendall(more)
                    else:
                        selector.unregister(side)
                        others[side].shutdown(socket.SHUT_WR)
