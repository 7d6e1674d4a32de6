"""A web server of the standard library: no Lambda runtime, no handler.

POST /thumbnail makes a file in the cache folder and answers with its size.
"""

import http.server
import json
import os
import pathlib

CACHE = pathlib.Path(os.environ.get("CACHE", "/tmp/cache"))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(200, {"healthy": True})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        CACHE.mkdir(exist_ok=True)
        (CACHE / "last").write_bytes(body)
        self.answer(200, {"kept": (CACHE / "last").stat().st_size})

    def answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    address = ("0.0.0.0", int(os.environ.get("PORT", "8080")))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()
