"""Runs a command in the network and mount namespace that it was started in: with loopback, IPv6, a resolver, and sinks.

Started by stage.py as ``unshare -rnm python inside.py SEEN RESOLV -- COMMAND…``: SEEN is the file that what came to the
sinks is written to, RESOLV the file that stands in for /etc/resolv.conf. Standard library only.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.attacks.sinks import METADATA, OUTSIDE6, RESOLVER, Sinks

MS_BIND = 4096
SIOCSIFFLAGS, SIOCSIFADDR = 0x8914, 0x8916
IFF_UP = 1


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
        more = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(METADATA))
        fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16s16s", b"lo:1", more))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
        address = socket.inet_pton(socket.AF_INET6, OUTSIDE6)
        fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16sIi", address, 128, socket.if_nametoindex("lo")))


def open_sinks() -> Sinks:
    """The sinks, as soon as the IPv6 address may be used: the kernel takes a moment to settle it."""
    end = time.monotonic() + 3
    while True:
        try:
            return Sinks(namespace=True)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def main() -> int:
    seen, resolv, _, *command = sys.argv[1:]
    Path("/proc/sys/net/ipv6/conf/lo/accept_dad").write_text("0")
    raise_loopback()
    Path(resolv).write_text(f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n")
    target = os.path.realpath("/etc/resolv.conf").encode()
    if ctypes.CDLL(None, use_errno=True).mount(resolv.encode(), target, None, MS_BIND, None) != 0:
        raise OSError(ctypes.get_errno(), "cannot put a file over /etc/resolv.conf")
    Path("/proc/sys/net/ipv4/tcp_fastopen").write_text("3")
    sinks = open_sinks()
    try:
        done = subprocess.run(command, env={**os.environ, **sinks.environment()}, check=False)
    finally:
        sinks.close()
        sinks.write(Path(seen))
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


if __name__ == "__main__":
    sys.exit(main())
