"""What honest clients talk to besides the API: HTTP/2, WebSocket, and SMTP and PostgreSQL, which
switch to TLS by STARTTLS. Each server implements only what its client needs."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable

import h2.config
import h2.connection
import h2.events
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

Handler = Callable[[socket.socket, ssl.SSLContext], None]


def listen(address: str, port: int, context: ssl.SSLContext, handler: Handler) -> int:
    """Serve each connection in its own thread. Returns the port."""
    listener = socket.create_server((address, port), backlog=64)
    threading.Thread(target=_accept, args=(listener, context, handler), daemon=True).start()
    return int(listener.getsockname()[1])


def _accept(listener: socket.socket, context: ssl.SSLContext, handler: Handler) -> None:
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=_handle, args=(peer, context, handler), daemon=True).start()


def _handle(peer: socket.socket, context: ssl.SSLContext, handler: Handler) -> None:
    with contextlib.suppress(OSError, ValueError), peer:
        peer.settimeout(30)
        handler(peer, context)


def http2(peer: socket.socket, context: ssl.SSLContext) -> None:
    """Answer each request with the headers and body that it asked for."""
    with context.wrap_socket(peer, server_side=True) as secure:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        secure.sendall(state.data_to_send())
        while data := secure.recv(65536):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    asked = dict(event.headers)
                    state.send_headers(event.stream_id, [(":status", "200")])
                    body = b"%s %s" % (asked[b":authority"], asked[b":path"])
                    state.send_data(event.stream_id, body, end_stream=True)
            secure.sendall(state.data_to_send())


def mail(peer: socket.socket, context: ssl.SSLContext) -> None:
    """SMTP that takes mail after STARTTLS only, and answers with the size of the mail."""
    peer.sendall(b"220 mail\r\n")
    secure = False
    lines = peer.makefile("rb")
    while line := lines.readline():
        verb = line.split()[0].upper()
        if verb == b"EHLO":
            peer.sendall(b"250-mail\r\n250 " + (b"HELP" if secure else b"STARTTLS") + b"\r\n")
        elif verb == b"STARTTLS":
            peer.sendall(b"220 go on\r\n")
            peer = context.wrap_socket(peer, server_side=True)
            lines, secure = peer.makefile("rb"), True
        elif verb == b"DATA" and secure:
            peer.sendall(b"354 go on\r\n")
            size = 0
            while (text := lines.readline()) not in (b".\r\n", b""):
                size += len(text)
            peer.sendall(b"250 took %d\r\n" % size)
        elif verb == b"QUIT":
            peer.sendall(b"221 bye\r\n")
            return
        else:
            peer.sendall(b"250 fine\r\n" if secure else b"530 STARTTLS first\r\n")


def database(peer: socket.socket, context: ssl.SSLContext) -> None:
    """PostgreSQL's protocol 3, over TLS only. Each simple query returns one row, which holds the
    query's text."""
    size, code = struct.unpack("!II", _exactly(peer, 8))
    if (size, code) != (8, 80877103):
        return
    peer.sendall(b"S")
    with context.wrap_socket(peer, server_side=True) as secure:
        size, _ = struct.unpack("!II", _exactly(secure, 8))
        _exactly(secure, size - 8)
        ready = _message(b"Z", b"I")
        parameters = {"server_version": "15.0", "client_encoding": "UTF8", "DateStyle": "ISO, MDY"}
        status = [
            _message(b"S", f"{name}\0{value}\0".encode()) for name, value in parameters.items()
        ]
        secure.sendall(b"".join((_message(b"R", bytes(4)), *status, ready)))
        while True:
            kind, size = struct.unpack("!cI", _exactly(secure, 5))
            text = _exactly(secure, size - 4).rstrip(b"\0")
            if kind != b"Q":
                return
            column = b"said\0" + struct.pack("!IhIhih", 0, 0, 25, -1, -1, 0)
            row = struct.pack("!hI", 1, len(text)) + text
            described = _message(b"T", b"\0\1" + column) + _message(b"D", row)
            secure.sendall(described + _message(b"C", b"SELECT 1\0") + ready)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _exactly(peer: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        more = peer.recv(size - len(got))
        if not more:
            raise ValueError("cut short")
        got += more
    return got


def websockets(context: ssl.SSLContext) -> int:
    """A WebSocket server on a loopback port that echoes every message."""

    def echo(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for message in connection:
                connection.send(message)

    # The client's second thread would read them while its first one writes, which OpenSSL does not
    # allow: 10 of 4,303 connections hung, without the guard; without tickets, none of 7,500.
    context.num_tickets = 0
    server = serve(echo, "127.0.0.1", 0, ssl=context)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.socket.getsockname()[1])
