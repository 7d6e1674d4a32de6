"""A cheap TLS server for the benchmarks. It answers every request and reads bodies to their end."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading

from tests.egress.places import QUICK_ADDRESS, QUICK_PORT

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def serve(context: ssl.SSLContext) -> None:
    """Listen in the background."""
    listener = socket.create_server((QUICK_ADDRESS, QUICK_PORT), backlog=64)
    threading.Thread(target=_accept, args=(listener, context), daemon=True).start()


def _accept(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        plain, _ = listener.accept()
        threading.Thread(target=_answer, args=(plain, context), daemon=True).start()


def _answer(plain: socket.socket, context: ssl.SSLContext) -> None:
    buffer = memoryview(bytearray(1 << 18))
    with (
        contextlib.suppress(OSError),
        plain,
        context.wrap_socket(plain, server_side=True) as connection,
    ):
        while head := connection.recv(16384):
            length = re.search(rb"content-length: *(\d+)", head.lower())
            left = int(length[1]) - len(head.partition(b"\r\n\r\n")[2]) if length else 0
            while left > 0:
                got = connection.recv_into(buffer)
                if got == 0:
                    return
                left -= got
            connection.sendall(_ANSWER)
