"""What the guard adds to a client in the network of tests/egress: for lookups, HTTPS requests, and
bulk data over one connection."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from measures import Bench, Figure, interleaved, printed

sys.path.append(str(Path(__file__).resolve().parent.parent))

from tests.egress.network import Network, NoNetwork
from tests.egress.places import QUICK, QUICK_PORT
from tests.support import policy_file

_POLICY = f"""
version: 1
policy:
  outbound_connectivity:
    mode: block
    allow:
      - host: {QUICK}
        ports: [{QUICK_PORT}]
        tls: required
  read_write_tmp: block
  create_child_process: block
  read_handler: block
  native_code: block
  runtime_api: block
"""
_LOOKUP = """
import socket, statistics, sys, time
took = []
for number in range(int(sys.argv[1]) + 20):
    begin = time.perf_counter_ns()
    socket.getaddrinfo(sys.argv[2], int(sys.argv[3]), type=socket.SOCK_STREAM)
    took.append((time.perf_counter_ns() - begin) / 1000)
print(statistics.median(took[20:]))
"""
# A new session for each request, so that lookup, connection, handshake and request are all judged.
_REQUEST = """
import statistics, sys, time
import requests
url, took = f"https://{sys.argv[2]}:{sys.argv[3]}/", []
for number in range(int(sys.argv[1]) + 5):
    begin = time.perf_counter_ns()
    requests.get(url, timeout=10).raise_for_status()
    took.append((time.perf_counter_ns() - begin) / 1e6)
print(statistics.median(took[5:]))
"""
_BULK = """
import socket, ssl, sys, time
context = ssl.create_default_context()
piece = bytes(1 << 20)
with socket.create_connection((sys.argv[2], int(sys.argv[3]))) as plain:
    with context.wrap_socket(plain, server_hostname=sys.argv[2]) as connection:
        size = int(sys.argv[1]) << 20
        connection.sendall(b"PUT / HTTP/1.1\\r\\nContent-Length: %d\\r\\n\\r\\n" % size)
        begin = time.perf_counter_ns()
        for _ in range(int(sys.argv[1])):
            connection.sendall(piece)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        print((time.perf_counter_ns() - begin) / 1e6)
"""


def clients(bench: Bench) -> Iterator[Figure]:
    """The figures. If a separate network cannot be made, there are none, and a line on stderr says
    so."""
    folder = bench.scratch / "network"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        network = Network(folder)
    except NoNetwork as problem:
        print(f"lookups, requests and bulk are not measured: {problem}", file=sys.stderr)
        return
    try:
        yield _measure(
            bench, network, "lookup_name", "getaddrinfo of a name", "µs", _LOOKUP, 400, 20
        )
        yield _measure(bench, network, "https", "HTTPS request by requests", "ms", _REQUEST, 60, 20)
        yield _measure(
            bench, network, "bulk", "256 MB over one TLS connection", "ms", _BULK, 256, 12
        )
    finally:
        network.close()


def _measure(
    bench: Bench,
    network: Network,
    key: str,
    title: str,
    unit: str,
    code: str,
    each: int,
    samples: int,
) -> Figure:
    # The interpreter of this environment, which has requests.
    command = [sys.executable, "-c", code, str(each), QUICK, str(QUICK_PORT)]
    authority = str(network.authority)
    environment = {
        **bench.environment(),
        "FUNCTION_SHIELD_POLICY": policy_file(_POLICY),
        "SSL_CERT_FILE": authority,
        "REQUESTS_CA_BUNDLE": authority,
    }
    found = interleaved(
        bench.samples(samples),
        {
            "bare": lambda: printed([*network.enter, *command], environment),
            "guarded": lambda: printed([*network.enter, bench.launcher, *command], environment),
        },
    )
    return Figure(key, title, unit, found)
