"""The outside world of the twelve functions: S3, an API and a thief. It runs on this machine, in a
separate network with a separate /tmp.

`enter()` starts this program again in new namespaces. `World` serves there, at the address that
plays the outside: TLS on port 443, and plain HTTP on port 80.
"""

import contextlib
import os
import ssl
import struct
import subprocess
import sys
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import inputs
import trustme

OUTSIDE = "127.66.66.66"
REGION = "eu-central-1"
BUCKETS = ("shop-pictures", "shop-thumbnails", "shop-models", "drop-box")
NAMES = (*(f"{bucket}.s3.{REGION}.amazonaws.com" for bucket in BUCKETS), "api.rates.example")
THIEF = "collector.evil.example"
RATES = {"EUR": "1.0", "USD": "1.08", "GBP": "0.85", "SEK": "11.3", "CHF": "0.94"}
_INSIDE = "HONEST_WORLD"
_WAYS = (
    ("unshare", "--net", "--mount"),
    ("unshare", "--user", "--map-root-user", "--net", "--mount"),
)


def enter():
    """Returns only inside the namespaces. Exits with 2 if they cannot be made."""
    if os.environ.pop(_INSIDE, None):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp"], check=True)
        return
    for way in _WAYS:
        with contextlib.suppress(OSError):
            if subprocess.run([*way, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
                continue
            again = [*way, sys.executable, *sys.argv]
            os.execvpe(again[0], again, {**os.environ, _INSIDE: "1"})
    print(
        "no network namespace can be made: run as root, or permit user namespaces", file=sys.stderr
    )
    sys.exit(2)


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _picture(number):
    """A PNG of 64 by 48 pixels."""
    rows = b"".join(b"\0" + bytes((y * 5, number * 12, 90)) * 64 for y in range(48))
    head = struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0)
    parts = _chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


class _Outside(BaseHTTPRequestHandler):
    """The parts of S3 that boto3's transfers use, and the API. Everything sent elsewhere is
    loot."""

    protocol_version = "HTTP/1.1"
    objects: dict[tuple[str, str], bytes]

    def _object(self):
        bucket = (self.headers.get("Host") or "").partition(".s3.")[0]
        return bucket, self.path.partition("?")[0]

    def do_GET(self):
        if self.headers.get("Host") == "api.rates.example":
            rate = RATES.get(self.path[1:])
            self._answer(200 if rate else 404, f'{{"rate": "{rate}"}}'.encode())
            return
        found = self.objects.get(self._object())
        self._answer(404 if found is None else 200, found or b"")

    do_HEAD = do_GET

    def do_PUT(self):
        self.objects[self._object()] = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self._answer(200, b"")

    do_POST = do_PUT

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{zlib.crc32(body):032x}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, address):
        pass


class World:
    """The servers. They run until the program ends.

    Args:
        folder: the folder for the hosts file and the certificate.
        python: the interpreter that makes the models; None if none are needed.
    """

    def __init__(self, folder: Path, python: Path | None):
        folder.mkdir(parents=True, exist_ok=True)
        hosts = folder / "hosts"
        lines = ["127.0.0.1 localhost", f"{OUTSIDE} {' '.join((*NAMES, THIEF))}", ""]
        hosts.write_text("\n".join(lines))
        subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
        _Outside.objects = {
            ("shop-pictures", f"/{key}"): _picture(number)
            for number, key in enumerate(inputs.pictures())
        }
        if python:
            for name in ("demand", "price"):
                _Outside.objects["shop-models", f"/{name}.joblib"] = _model(python, name)
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*NAMES).configure_cert(context)
        self.trusted = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.trusted)
        secure = _Server((OUTSIDE, 443), _Outside)
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        for server in (secure, _Server((OUTSIDE, 80), _Outside)):
            threading.Thread(target=server.serve_forever, daemon=True).start()

    @property
    def variables(self):
        """The environment variables of the functions."""
        trusted = dict.fromkeys(
            ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(self.trusted)
        )
        return {
            **trusted,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
            # As on Lambda: no other folder is writable.
            "HOME": "/proc/nobody",
        }


def _model(python, name):
    script = (
        "import io, sys, joblib, numpy; from sklearn.linear_model import LinearRegression\n"
        f"x = numpy.arange(40).reshape(20, 2); y = x @ [{len(name)}, 2.5]\n"
        "f = io.BytesIO(); joblib.dump(LinearRegression().fit(x, y), f)\n"
        "sys.stdout.buffer.write(f.getvalue())"
    )
    return subprocess.run([python, "-c", script], capture_output=True, check=True).stdout
