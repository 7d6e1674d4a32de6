"""Acts on connections to an allowed name: the program that performs them, and the result of
each."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from tests import support
from tests.egress import places
from tests.egress.network import Arrived, Done, Network
from tests.support import rules

THIEF = f"token.{places.THIEF}"
ENTRIES = [
    {"host": places.API},
    {"host": places.PLAIN, "ports": [80]},
    {"host": places.PROXY_NAME, "ports": [places.PROXY_PORT], "tls": "none"},
]

PRELUDE = f"""
import array, ctypes, os, select, signal, socket, ssl, struct, subprocess, sys, time
from tests import hellos
signal.alarm(20)
API, PLAIN, THIEF = {places.API!r}, {places.PLAIN!r}, {THIEF!r}
PROXY = ({places.PROXY_NAME!r}, {places.PROXY_PORT})
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
    return "\\r\\n".join(("GET " + path + " HTTP/1.1", "Host: " + host) + lines + ("", "")).encode()
"""

# With `allow_reconfigure: true`: set MODE for the calling thread.
LOOSENED = """
import function_shield
options = {"policy": {"outbound_connectivity": "block"}, "disable_analytics": True}
cookie = function_shield.configure(options)
options["policy"]["outbound_connectivity"] = MODE
function_shield.configure({**options, "cookie": cookie})
"""


@dataclass
class Act:
    """One act in the network."""

    done: Done

    @property
    def result(self) -> support.Guarded:
        return self.done.result

    @property
    def arrived(self) -> Arrived:
        return self.done.arrived

    @property
    def bytes_arrived(self) -> int:
        """How many bytes arrived as the first ones of all connections."""
        return sum(int(note["bytes"]) for note in self.arrived.of("connection"))

    @property
    def words(self) -> set[tuple[str, str | None]]:
        return {
            (event["mode"], event["details"].get("first_bytes")) for event in self.result.violations
        }


def act(
    network: Network, code: str, mode: str | None, env: dict[str, str] | None = None, **more: Any
) -> Act:
    policy = rules({"mode": mode, "allow": ENTRIES}, **more) if mode else None
    given = {
        "PYTHONPATH": str(support.ROOT),
        "SSL_CERT_FILE": str(network.authority),
        **(env or {}),
    }
    return Act(
        network.run([sys.executable, "-c", PRELUDE + code], policy=policy, env=given, stdin="")
    )
