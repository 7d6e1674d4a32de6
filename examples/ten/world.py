"""The outside world of the example: S3, two APIs, a cache and a thief. It runs on this machine, in
a separate network.

``world.py [--arrived FILE] COMMAND [ARG…]`` runs COMMAND in a network namespace without a way out.
A hosts file that only COMMAND sees leads the names of the example to servers of this program. It
needs Linux, `unshare`, either root or unprivileged user namespaces, and, for the certificate, the
interpreter that fetch.sh prints. What the thief gets is written to FILE.

The variable EXAMPLE_ENV has the options of `fshield invoke` that make a client trust the servers.
"""

import argparse
import base64
import contextlib
import datetime
import http.server
import json
import os
import shlex
import socketserver
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import zlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

OUTSIDE = "127.66.66.66"
NAMES = ("shop-pictures.s3.eu-central-1.amazonaws.com", "api.rates.example", "feed.weather.example")
OTHERS = ("cache.shop.example", "collector.evil.example")
INSIDE = "EXAMPLE_WORLD"
VALUES = {}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def picture():
    """A PNG of 8 by 8 pixels: a sunset, more or less."""
    rows = b"".join(b"\0" + bytes((250 - 20 * y, 120 - 10 * y, 40 + 10 * y)) * 8 for y in range(8))
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


class Web(http.server.BaseHTTPRequestHandler):
    """S3, the APIs, and the thief, who keeps everything that arrives."""

    protocol_version = "HTTP/1.1"
    arrived = None

    def do_GET(self):
        host = (self.headers.get("Host") or "").partition(":")[0]
        answers = {
            NAMES[0]: (picture(), "image/png"),
            NAMES[1]: (b'{"rate": "1.08"}', "application/json"),
            NAMES[2]: (b'{"rain_mm": 0}', "application/json"),
        }
        self.answer(*answers.get(host, (b"no such host", "text/plain")))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.arrived:
            line = {"path": self.path, "body": base64.b64encode(body).decode()}
            with self.arrived.open("a") as file:
                file.write(json.dumps(line) + "\n")
        self.answer(b"thank you", "text/plain")

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Cache(socketserver.StreamRequestHandler):
    """The parts of Redis that a client needs for get and set."""

    def handle(self):
        while line := self.rfile.readline():
            if not line.startswith(b"*"):
                return
            words = []
            for _ in range(int(line[1:])):
                size = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(size + 2)[:-2])
            self.wfile.write(self.reply(words[0].upper(), words[1:]))

    def reply(self, command, words):
        if command == b"GET":
            value = VALUES.get(words[0])
            return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)
        if command == b"SET":
            VALUES[words[0]] = words[1]
        if command == b"HELLO":
            return b"-ERR unknown command\r\n"
        return b"+OK\r\n"


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, address):
        pass


def certificate(folder):
    """A certificate for the names, and its authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "the example's own")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.DNSName(each) for each in NAMES])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(1))
        .add_extension(names, False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "server.pem").write_bytes(private + made.public_bytes(serialization.Encoding.PEM))


def serve(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    secure = Server((OUTSIDE, 443), Web)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    for server in (secure, Server((OUTSIDE, 80), Web), Server((OUTSIDE, 6379), Cache)):
        threading.Thread(target=server.serve_forever, daemon=True).start()


def inside(arrived, command):
    """In the namespaces: set up the loopback device and the hosts file, start the servers, run the
    command."""
    Web.arrived = arrived
    with tempfile.TemporaryDirectory(
        prefix=".world-", dir=os.environ.get("FSHIELD_CACHE") or Path.home()
    ) as name:
        folder = Path(name)
        lines = ["127.0.0.1 localhost", *(f"{OUTSIDE} {each}" for each in (*NAMES, *OTHERS))]
        (folder / "hosts").write_text("\n".join([*lines, ""]))
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["mount", "--bind", folder / "hosts", "/etc/hosts"], check=True)
        certificate(folder)
        serve(folder)
        trusted = folder / "ca.pem"
        variables = {
            name: str(trusted) for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
        }
        variables |= {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}
        variables |= {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "not-a-real-secret-of-anybody",
        }
        variables["SEAL_KEY"] = base64.urlsafe_b64encode(bytes(range(32))).decode()
        options = " ".join(
            f"--env {shlex.quote(f'{key}={value}')}" for key, value in variables.items()
        )
        return subprocess.run(
            command, env={**os.environ, "EXAMPLE_ENV": options}, check=False
        ).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--arrived", type=Path, help="where to write what the thief gets, one JSON object a line"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    if not given.command:
        parser.error("no command")
    if os.environ.pop(INSIDE, None):
        return inside(given.arrived, given.command)
    ways = [
        ["unshare", "--net", "--mount"],
        ["unshare", "--user", "--map-root-user", "--net", "--mount"],
    ]
    with contextlib.suppress(OSError):
        for way in ways:
            if (
                subprocess.run([*way, "true"], stderr=subprocess.DEVNULL, check=False).returncode
                == 0
            ):
                return subprocess.run(
                    [*way, sys.executable, *sys.argv], env={**os.environ, INSIDE: "1"}, check=False
                ).returncode
    print(
        "world.py: no network namespace can be made: run as root, or permit user namespaces",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    sys.exit(main())
