"""A local stand-in for the outside: an HTTP server on an address of this machine that stores what
it receives.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from fshield.errors import CouldNotRun

_MAX_BODY = 1 << 20


class Outside:
    """Listens while the ``with`` block runs.

    Args:
        host, port: where; in 127.0.0.0/8, so that nothing leaves this machine.

    Raises:
        CouldNotRun: the address cannot be used.
    """

    def __init__(self, host: str, port: int) -> None:
        self._received: dict[str, bytes] = {}
        received = self._received

        class Keeper(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                size = min(int(self.headers.get("Content-Length") or 0), _MAX_BODY)
                received[self.path] = self.rfile.read(size)
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        try:
            self._server = ThreadingHTTPServer((host, port), Keeper)
        except OSError as error:
            raise CouldNotRun(
                f"{host}:{port} cannot be listened on: {error.strerror}", "end what listens there"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="outside", daemon=True
        )

    def __enter__(self) -> Outside:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self) -> dict[str, bytes]:
        """What was sent since the last call: body by path."""
        taken = dict(self._received)
        self._received.clear()
        return taken
