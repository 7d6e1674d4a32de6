"""Stand-ins on loopback for the receivers of traces: a collector over HTTP, and the X-Ray daemon
over UDP."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
import zlib
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

_MAX_BODY = 8 << 20


class Collector:
    """Keeps the path and the unpacked body of every request while the ``with`` block runs.

    Args:
        host: the address that it listens at, in 127.0.0.0/8.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.received: list[tuple[str, bytes]] = []
        received = self.received

        class Keeper(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def do_POST(self) -> None:
                body = self._body()
                encoding = self.headers.get("Content-Encoding")
                if encoding == "gzip":
                    body = gzip.decompress(body)
                elif encoding == "deflate":
                    body = zlib.decompress(body)
                received.append((self.path, body))
                self._answer(b"{}")

            do_PUT = do_POST  # noqa: N815 - named by http.server; Datadog's tracer PUTs

            def do_GET(self) -> None:
                # The description of Datadog's agent.
                self._answer(b'{"endpoints":["/v0.4/traces","/v0.5/traces"],"version":"7.70.0"}')

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(
                        min(int(self.headers.get("Content-Length") or 0), _MAX_BODY)
                    )
                whole = b""
                while (size := int(self.rfile.readline(100).split(b";")[0], 16)) and len(
                    whole
                ) < _MAX_BODY:
                    whole += self.rfile.read(size)
                    self.rfile.readline(10)
                self.rfile.readline(10)
                return whole

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                # A client may be in a function that is ended, and never reads the answer.
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((host, 0), Keeper)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.daemon.bind((host, 0))
        self.daemon.settimeout(0.2)
        self.segments: list[bytes] = []
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True),
            threading.Thread(target=self._read_segments, daemon=True),
        ]

    def _read_segments(self) -> None:
        while not self._ended.is_set():
            try:
                self.segments.append(self.daemon.recv(1 << 16))
            except TimeoutError:
                continue

    def __enter__(self) -> Collector:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(5)
        self.daemon.close()

    def paths(self) -> set[str]:
        """The paths of the requests."""
        return {path for path, _ in list(self.received)}

    def await_(self, path: str, words: Sequence[str], seconds: float = 60) -> bool:
        """Wait for a request whose path begins with `path` and whose body contains all of `words`.
        Returns false after `seconds`."""
        end = time.monotonic() + seconds
        while not (found := self._has(path, words)) and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def _has(self, path: str, words: Sequence[str]) -> bool:
        return any(
            where.startswith(path) and all(word.encode() in body for word in words)
            for where, body in list(self.received)
        )
