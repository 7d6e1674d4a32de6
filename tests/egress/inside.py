"""Makes the network in the namespaces that it was started in, and serves it until standard input
closes.

Started by network.py as ``unshare … python -m tests.egress.inside FOLDER``. It prints ``ready``
when all servers listen. For each line of input it prints ``settled`` once everything that has
arrived is noted: in FOLDER/seen by the fronts and the servers, in FOLDER/queries by dnsmasq.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.egress import backends, places, quick, services
from tests.egress.fronts import Fronts, Ports
from tests.egress.places import ADDRESSES, API, DNSMASQ, QUICK, RESOLVER, SUFFIX
from tests.egress.seen import Seen

MS_BIND = 4096


def make_links(
    folder: Path, addresses: Sequence[str] = ADDRESSES, resolver: str = RESOLVER
) -> None:
    """Add the addresses, and a resolver configuration that only this mount namespace sees."""
    Path("/proc/sys/net/ipv6/conf/lo/accept_dad").write_text("0")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in addresses:
        length = "128" if ":" in address else "32"
        subprocess.run(["ip", "address", "add", f"{address}/{length}", "dev", "lo"], check=True)
    resolv = folder / "resolv.conf"
    # A busy machine may keep dnsmasq waiting. No test asks a name server that does not answer.
    resolv.write_text(f"nameserver {resolver}\noptions timeout:20 attempts:1\n")
    target = os.path.realpath("/etc/resolv.conf").encode()
    if (
        ctypes.CDLL(None, use_errno=True).mount(os.fsencode(resolv), target, None, MS_BIND, None)
        != 0
    ):
        raise OSError(ctypes.get_errno(), "cannot put a file over /etc/resolv.conf")


def start_resolver(folder: Path) -> subprocess.Popen[bytes]:
    """Start dnsmasq, which knows a few names and forwards no query."""
    options = [
        "--no-daemon",
        "--no-resolv",
        "--no-hosts",
        "--conf-file=/dev/null",
        "--log-queries",
        *DNSMASQ,
    ]
    with (folder / "queries").open("wb") as log:
        return subprocess.Popen(["dnsmasq", *options], stdout=log, stderr=log)


def settle_resolver(folder: Path, number: int, resolver: str = RESOLVER) -> None:
    """Ask one more question: when it is in the log, all earlier questions are too."""
    name = f"settle-{number}"
    labels = b"".join(bytes([len(part)]) + part for part in (name.encode(), b"invalid"))
    question = b"\0\1\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(question, (resolver, 53))
        time.sleep(0.02)
        if name in (folder / "queries").read_text(errors="replace"):
            return
    raise TimeoutError("dnsmasq does not answer")


async def serve(folder: Path) -> None:
    seen = Seen(folder / "seen")
    certificates = backends.Certificates(folder)
    ports = Ports(
        api=backends.serve_api(seen, certificates.context(API)),
        plain=backends.serve_api(seen, None),
        grpc=backends.serve_grpc(seen, certificates),
        http2=services.listen(
            "127.0.0.1", 0, certificates.alone(places.HTTP2, "h2"), services.http2
        ),
        websockets=services.websockets(certificates.alone(places.WEBSOCKETS)),
        s3=backends.serve_s3(seen, certificates.context(SUFFIX)),
    )
    for name, port, handler in (
        (places.MAIL, places.MAIL_PORT, services.mail),
        (places.DATABASE, places.DATABASE_PORT, services.database),
    ):
        services.listen(places.SHARED, port, certificates.alone(name), handler)
    quick.serve(certificates.context(QUICK))
    fronts = Fronts(seen, ports)
    await fronts.start()
    settle_resolver(folder, 0)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    number = 0
    while await loop.run_in_executor(None, sys.stdin.readline):
        number += 1
        await fronts.settle()
        settle_resolver(folder, number)
        print("settled", flush=True)


def main() -> None:
    folder = Path(sys.argv[1])
    make_links(folder)
    resolver = start_resolver(folder)
    try:
        asyncio.run(serve(folder))
    finally:
        resolver.kill()
        resolver.wait()


if __name__ == "__main__":
    main()
    # The servers' threads would keep the process alive.
    os._exit(0)
