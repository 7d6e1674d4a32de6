"""The servers behind the fronts: an API (plain HTTP, and TLS with one certificate per name), gRPC,
and moto as S3."""

from __future__ import annotations

import functools
import hashlib
import logging
import ssl
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import grpc
import trustme
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.egress.places import (
    API,
    AWAY,
    AWAY_PATH,
    BUCKET,
    OBJECT,
    OTHER_BUCKET,
    REGION,
    SHARED,
    SHARED6,
    SUFFIX,
    THIEF,
)
from tests.egress.seen import Seen

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
#: A client that connects to an address sends no server name. It gets the API's certificate.
_MORE = {API: (SHARED, SHARED6), SUFFIX: (f"*.{SUFFIX}",)}


class Certificates:
    """A certificate authority, and a TLS context that answers each client with a certificate for
    the name it asked for."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def context(self, default: str) -> ssl.SSLContext:
        """A context for a server whose own name is `default`."""
        outer = self._context(default)

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            connection.context = self._context(name or default)

        outer.sni_callback = choose
        # Without SSL_OP_ALLOW_CLIENT_RENEGOTIATION, OpenSSL 3 refuses a client's renegotiation.
        outer.options |= 1 << 8
        return outer

    def pair(self, *names: str) -> tuple[bytes, bytes]:
        """The key and the certificate chain for these names."""
        leaf = self._authority.issue_cert(*names)
        return leaf.private_key_pem.bytes(), b"".join(blob.bytes() for blob in leaf.cert_chain_pems)

    def alone(self, name: str, *protocols: str) -> ssl.SSLContext:
        """A context for a server that has one name and speaks these protocols."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(name).configure_cert(context)
        if protocols:
            context.set_alpn_protocols(protocols)
        return context

    def _context(self, name: str) -> ssl.SSLContext:
        # All buckets share one certificate, as in S3. Every other name has its own.
        name = SUFFIX if name.endswith(SUFFIX) else name
        with self._lock:
            if name not in self._contexts:
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                self._authority.issue_cert(name, *_MORE.get(name, ())).configure_cert(context)
                self._contexts[name] = context
            return self._contexts[name]


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


def _noted(seen: Seen, kind: str, application: Application) -> Application:
    def serve(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.note(
            kind,
            host=environ.get("HTTP_HOST", ""),
            method=environ["REQUEST_METHOD"],
            path=environ["RAW_URI"],
        )
        return application(environ, start_response)

    return serve


def _in_background(server: HTTPServer, context: ssl.SSLContext | None = None) -> int:
    if context is not None:
        # The handshake runs in the connection's own thread, so that connections do not wait for
        # each other.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_port)


class _Echo(BaseHTTPRequestHandler):
    """Answers with the request it received and its ordinal number on the connection."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    seen: Seen

    def setup(self) -> None:
        super().setup()
        self._number = 0

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        host = self.headers.get("Host", "")
        self.seen.note("request", host=host, method=self.command, path=self.path)
        self._number += 1
        chunked = self.headers.get("Transfer-Encoding") == "chunked"
        got = (
            self._chunks()
            if chunked
            else self.rfile.read(int(self.headers.get("Content-Length", 0)))
        )
        if self.path == AWAY_PATH:
            self.send_response(302)
            self.send_header("Location", f"https://{AWAY}/")
        else:
            self.send_response(200)
        digest = hashlib.sha256(got).hexdigest()
        answer = f"{host} {self.path} {len(got)} {digest} #{self._number}".encode()
        # boto3 treats an answer to PutObject that has a body as an error.
        body = b"" if self.command == "PUT" else answer
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _chunks(self) -> bytes:
        got = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            got += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return got

    def log_message(self, format: str, *args: object) -> None:
        pass


def serve_api(seen: Seen, context: ssl.SSLContext | None) -> int:
    """An API on a loopback port that echoes what it was asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Echo", (_Echo,), {"seen": seen}))
    return _in_background(server, context)


def serve_s3(seen: Seen, context: ssl.SSLContext) -> int:
    """moto as S3 over TLS, on a loopback port, with two buckets of one object each."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = DomainDispatcherApplication(create_backend_app)
    make = functools.partial(make_server, "127.0.0.1", 0, threaded=True, request_handler=_Quiet)
    # Filled over plain HTTP, through a second server that no client under test knows.
    _fill(_in_background(make(moto)))
    return _in_background(make(_noted(seen, "request", moto)), context)


def _fill(port: int) -> None:
    client = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    for bucket in (BUCKET, OTHER_BUCKET):
        client.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        client.put_object(
            Bucket=bucket, Key=OBJECT, Body=b"in " + bucket.encode(), ACL="public-read"
        )


def serve_grpc(seen: Seen, certificates: Certificates) -> int:
    """A gRPC method on a loopback port that echoes its argument."""

    def say(request: bytes, context: grpc.ServicerContext) -> bytes:
        seen.note("rpc", data=request.decode("latin-1"))
        return b"heard " + request

    handlers = grpc.method_handlers_generic_handler(
        "egress.Probe", {"Say": grpc.unary_unary_rpc_method_handler(say)}
    )
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((handlers,))
    credentials = grpc.ssl_server_credentials([certificates.pair(API, THIEF, f"*.{THIEF}")])
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    _keep.append(server)
    return int(port)


#: A gRPC server stops when its last reference is dropped.
_keep: list[object] = []
