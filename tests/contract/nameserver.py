"""Runs a command in a separate network with two hosts and a name server that notes every query,
byte for byte.

Started as ``unshare -rnm python nameserver.py SEEN RESOLV -- COMMAND…``. What arrived is written to
the file SEEN, as JSON (asked: queries in hexadecimal, tcp: connections, heard: hosts that a client
connected to). RESOLV is the file that takes the place of /etc/resolv.conf. ZONE gives the answers
for some names. All other names have the address of the outside, so that a question that the guard
lets through is answered.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import socket
import subprocess
import sys
import threading
from pathlib import Path

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.attacks.inside import MS_BIND, raise_loopback
from tests.attacks.sinks import ALLOWED, OUTSIDE, RESOLVER

# NAME: records as in a zone file. The answer for a name is exactly its line, chains included.
ZONE = {
    "api.allowed.example.": [f"api.allowed.example. 60 IN A {ALLOWED}"],
    "alias.allowed.example.": [
        "alias.allowed.example. 60 IN CNAME edge.cdn.example.",
        "edge.cdn.example. 60 IN CNAME pop.cdn.example.",
        f"pop.cdn.example. 60 IN A {ALLOWED}",
    ],
    "beside.allowed.example.": [
        "beside.allowed.example. 60 IN A 127.66.66.70",
        f"other.example. 60 IN A {OUTSIDE}",
    ],
    "metadata.allowed.example.": ["metadata.allowed.example. 60 IN A 169.254.169.254"],
    "local.allowed.example.": ["local.allowed.example. 60 IN A 127.0.0.1"],
    "text.allowed.example.": ['text.allowed.example. 60 IN TXT "hello"'],
}
HOSTS = (ALLOWED, OUTSIDE, "127.66.66.70", "169.254.169.254")


class Server:
    """Listens until it is closed."""

    def __init__(self) -> None:
        self.seen: dict[str, list[str]] = {"asked": [], "tcp": [], "heard": []}
        self.selector = selectors.DefaultSelector()
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind((RESOLVER, 53))
        self.selector.register(self.datagrams, selectors.EVENT_READ, self.answer)
        self.listen(RESOLVER, 53, "tcp")
        for host in HOSTS:
            self.listen(host, 443, "heard")
        self.wake, woken = socket.socketpair()
        self.selector.register(woken, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def listen(self, host: str, port: int, name: str) -> None:
        listener = socket.create_server((host, port))

        def take() -> None:
            peer, _ = listener.accept()
            self.seen[name].append(host)
            peer.close()

        self.selector.register(listener, selectors.EVENT_READ, take)

    def answer(self) -> None:
        packet, peer = self.datagrams.recvfrom(65536)
        self.seen["asked"].append(packet.hex())
        with contextlib.suppress(Exception):
            query = dns.message.from_wire(packet, ignore_trailing=True)
            question = query.question[0]
            response = dns.message.make_response(query)
            response.flags |= dns.flags.RA
            name = question.name.to_text().lower()
            for text in ZONE.get(name, [f"{name} 60 IN A {OUTSIDE}"]):
                owner, ttl, _, kind, *data = text.split()
                if kind in ("CNAME", dns.rdatatype.to_text(question.rdtype)):
                    response.answer.append(
                        dns.rrset.from_text(owner, int(ttl), "IN", kind, " ".join(data))
                    )
            self.datagrams.sendto(response.to_wire(), peer)

    def serve(self) -> None:
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    return
                key.data()

    def close(self) -> None:
        """Take in everything that has arrived, and stop."""
        self.wake.send(b".")
        self.thread.join()
        while ready := [key for key, _ in self.selector.select(0) if key.data is not None]:
            for key in ready:
                key.data()


def main() -> int:
    seen, resolv, _, *command = sys.argv[1:]
    raise_loopback()
    subprocess.run(["ip", "address", "add", "169.254.169.254/32", "dev", "lo"], check=True)
    Path(resolv).write_text(f"nameserver {RESOLVER}\noptions timeout:20 attempts:1\n")
    target = os.path.realpath("/etc/resolv.conf").encode()
    if ctypes.CDLL(None, use_errno=True).mount(resolv.encode(), target, None, MS_BIND, None) != 0:
        raise OSError(ctypes.get_errno(), "cannot put a file over /etc/resolv.conf")
    server = Server()
    done = subprocess.run(command, check=False)
    server.close()
    Path(seen).write_text(json.dumps(server.seen))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
