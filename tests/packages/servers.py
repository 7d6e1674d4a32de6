"""The servers that the packages talk to, in a separate network: HTTP and TLS for every name, an
X-Ray daemon, and as little of Redis, PostgreSQL and MySQL as their clients need."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

from tests.egress.inside import make_links

RESOLVER = "10.78.0.53"
EVERYBODY = "10.78.0.80"
REGION = "eu-central-1"
COLLECTOR, DAEMON = 4318, 2000
#: The JSON answers, by host.
ANSWERS = {
    f"dynamodb.{REGION}.amazonaws.com": {"Item": {"id": {"S": "A1"}}},
    "api.rates.example": {"rate": "1.08"},
    "api.stripe.com": {"id": "cus_1", "object": "customer"},
    "api.openai.com": {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "four"},
            }
        ],
    },
    "slack.com": {"ok": True, "ts": "1.0"},
}
#: For tiktoken's vocabulary: each byte, and its rank.
VOCABULARY = "".join(f"{line}\n" for line in ("YQ== 0", "Yg== 1", "YWI= 2"))


class _Web(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        if self.headers.get("Transfer-Encoding") == "chunked":
            while int(self.rfile.readline(100).split(b";")[0], 16):
                self.rfile.readline()
            self.rfile.readline()
        host = (self.headers.get("Host") or "").partition(":")[0]
        if host == "vocabulary.example":
            body = VOCABULARY.encode()
        elif ".s3." in host:
            body = b"day,orders\n1,20\n"
        else:
            body = json.dumps(ANSWERS.get(host, {})).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore the error: the function of this client has ended."""


def _exactly(peer: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        more = peer.recv(size - len(got))
        if not more:
            raise ValueError("cut short")
        got += more
    return got


def redis(peer: socket.socket) -> None:
    """A Redis that stores nothing: GET answers `4`."""
    lines = peer.makefile("rb")
    while head := lines.readline():
        words = []
        for _ in range(int(head[1:])):
            size = int(lines.readline()[1:])
            words.append(lines.read(size + 2)[:-2])
        if words[0].upper() == b"HELLO":
            peer.sendall(b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n")
        else:
            peer.sendall(b"$1\r\n4\r\n" if words[0].upper() == b"GET" else b"+OK\r\n")


def postgres(peer: socket.socket) -> None:
    """PostgreSQL without TLS. Each simple query returns one row, which holds the query's text."""
    size, code = struct.unpack("!II", _exactly(peer, 8))
    while code in (80877103, 80877104):  # TLS, GSSAPI
        peer.sendall(b"N")
        size, code = struct.unpack("!II", _exactly(peer, 8))
    _exactly(peer, size - 8)
    ready = _message(b"Z", b"I")
    parameters = {"server_version": "15.0", "client_encoding": "UTF8", "DateStyle": "ISO, MDY"}
    status = [_message(b"S", f"{name}\0{value}\0".encode()) for name, value in parameters.items()]
    peer.sendall(b"".join((_message(b"R", bytes(4)), *status, ready)))
    while True:
        kind, size = struct.unpack("!cI", _exactly(peer, 5))
        text = _exactly(peer, size - 4).rstrip(b"\0")
        if kind != b"Q":
            return
        column = b"said\0" + struct.pack("!IhIhih", 0, 0, 25, -1, -1, 0)
        row = struct.pack("!hI", 1, len(text)) + text
        described = _message(b"T", b"\0\1" + column) + _message(b"D", row)
        peer.sendall(described + _message(b"C", b"SELECT 1\0") + ready)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def mysql(peer: socket.socket) -> None:
    """A MySQL that accepts every login. Each statement changes one row."""
    able = 0x00000200 | 0x00008000 | 0x00080000  # protocol 4.1, with its authentication, by plugin
    greeting = b"\x0a8.0.0\0" + struct.pack("<I", 1) + b"saltsalt\0"
    greeting += struct.pack("<HBHH", able & 0xFFFF, 45, 2, able >> 16)
    greeting += b"\x15" + bytes(10) + b"saltsaltsalt\0" + b"mysql_native_password\0"
    peer.sendall(struct.pack("<I", len(greeting))[:3] + b"\0" + greeting)
    while True:
        head = _exactly(peer, 4)
        command = _exactly(peer, int.from_bytes(head[:3], "little"))
        if command[:1] == b"\x01" and head[3] == 0:
            return
        answer = b"\0\1\0\2\0\0\0"
        peer.sendall(struct.pack("<I", len(answer))[:3] + bytes([head[3] + 1]) + answer)


def _listen(port: int, handler: Callable[[socket.socket], None]) -> None:
    listener = socket.create_server((EVERYBODY, port), backlog=16)

    def serve(peer: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), peer:
            peer.settimeout(30)
            handler(peer)

    def accept() -> None:
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=serve, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


class World:
    """Names, servers and a /tmp, in the namespaces of this process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        make_links(folder, (RESOLVER, EVERYBODY), RESOLVER)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp"], check=True)
        with (folder / "resolver.log").open("wb") as log:
            self._resolver = subprocess.Popen(
                [
                    *("dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts"),
                    *("--conf-file=/dev/null", "--bind-interfaces"),
                    *(f"--listen-address={RESOLVER}", f"--address=/#/{EVERYBODY}"),
                ],
                stdout=log,
                stderr=log,
            )
        self._programs = folder / "bin"
        self._programs.mkdir(exist_ok=True)
        if not (self._programs / "uname").exists():
            (self._programs / "uname").symlink_to("/usr/bin/uname")
        self._trusted = folder / "ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self._trusted)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        names = (*ANSWERS, "vocabulary.example", f"*.s3.{REGION}.amazonaws.com")
        authority.issue_cert(*names, "*.ingest.sentry.io").configure_cert(context)
        secure = _Server((EVERYBODY, 443), _Web)
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        for server in (secure, _Server(("127.0.0.1", COLLECTOR), _Web)):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        for port, handler in ((6379, redis), (5432, postgres), (3306, mysql)):
            _listen(port, handler)
        # Read and drop what arrives.
        self._daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._daemon.bind(("127.0.0.1", DAEMON))

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of the functions."""
        trusted = dict.fromkeys(
            ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(self._trusted)
        )
        return {
            **trusted,
            # The only program on Lambda that any of the packages starts.
            "PATH": str(self._programs),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{DAEMON}",
            # As on Lambda: no other folder is writable.
            "HOME": "/proc/nobody",
        }

    def close(self) -> None:
        """Stop the name server."""
        self._resolver.kill()
        self._resolver.wait()
        self._daemon.close()
