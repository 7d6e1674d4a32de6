"""A small S3 on loopback, for one function: buckets by path, whole objects, in memory.

It checks no signatures, has no versions, and answers only with what boto3 reads.
"""

from __future__ import annotations

import hashlib
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from fshield.local.started import Started

_MAX_OBJECT = 64 << 20
_NO_SUCH_KEY = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code>'
    b"<Message>The specified key does not exist.</Message></Error>"
)


class Storage(Started):
    """Listens on 127.0.0.1 until the ``with`` block ends."""

    def __init__(self) -> None:
        super().__init__()
        self._objects: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self.address = ""

    def _start(self) -> None:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self._resources.callback(server.server_close)
        thread = threading.Thread(
            target=server.serve_forever, args=(0.05,), name="storage", daemon=True
        )
        thread.start()
        self._resources.callback(server.shutdown)
        self.address = f"http://127.0.0.1:{server.server_address[1]}"

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Keep an object."""
        with self._lock:
            self._objects[f"/{bucket}/{key}"] = content

    def get(self, bucket: str, key: str) -> bytes | None:
        """An object's content, or None."""
        with self._lock:
            return self._objects.get(f"/{bucket}/{key}")

    def delete(self, bucket: str, key: str) -> None:
        """Forget an object, if it is there."""
        with self._lock:
            self._objects.pop(f"/{bucket}/{key}", None)


def _handler(storage: Storage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _path(self) -> tuple[str, str]:
            bucket, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
            return bucket, key

        def do_GET(self) -> None:
            found = storage.get(*self._path())
            if found is None:
                self._answer(HTTPStatus.NOT_FOUND, _NO_SUCH_KEY)
            else:
                self._answer(HTTPStatus.OK, found)

        def do_PUT(self) -> None:
            size = int(self.headers.get("Content-Length") or -1)
            if not 0 <= size <= _MAX_OBJECT:
                self._answer(HTTPStatus.LENGTH_REQUIRED, b"")
                return
            content = self.rfile.read(size)
            storage.put(*self._path(), content)
            self._answer(HTTPStatus.OK, b"", hashlib.sha256(content).hexdigest()[:32])

        def _answer(self, status: HTTPStatus, body: bytes, tag: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/xml" if status >= 400 else "image/png")
            if tag is not None:
                self.send_header("ETag", f'"{tag}"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    return Handler
