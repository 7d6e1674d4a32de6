"""Sets up the network and mount namespace that it was started in (loopback, IPv6, a resolver,
sinks), and runs a command there.

Started by stage.py as ``unshare -rnm python inside.py SEEN RESOLV -- COMMAND…``: What the sinks
receive is written to the file SEEN. RESOLV is the file that takes the place of /etc/resolv.conf.
Standard library only.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.attacks.sinks import METADATA, OUTSIDE6, RESOLVER, RESOLVER6, Sinks

MS_BIND, MS_REC = 4096, 16384
SIOCSIFFLAGS, SIOCSIFADDR = 0x8914, 0x8916
IFF_UP = 1


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
        more = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(METADATA))
        fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16s16s", b"lo:1", more))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
        for host in (OUTSIDE6, RESOLVER6):
            address = socket.inet_pton(socket.AF_INET6, host)
            more = struct.pack("16sIi", address, 128, socket.if_nametoindex("lo"))
            fcntl.ioctl(control, SIOCSIFADDR, more)


def open_sinks() -> Sinks:
    """Open the sinks as soon as the IPv6 address is usable: the kernel takes a moment to verify
    it."""
    end = time.monotonic() + 30
    while True:
        try:
            return Sinks(namespace=True)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def put_over(path: str, place: str) -> None:
    target, flags = os.path.realpath(place).encode(), MS_BIND | MS_REC
    if ctypes.CDLL(None, use_errno=True).mount(path.encode(), target, None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"cannot put a file over {place}")


def open_log(folder: Path) -> socket.socket:
    """Mount a /dev with a log socket that nobody reads."""
    folder.mkdir()
    ctypes.CDLL(None).mount(b"none", str(folder).encode(), b"tmpfs", 0, None)
    for name in ("null", "zero", "random", "urandom"):
        (folder / name).touch()
        put_over(f"/dev/{name}", str(folder / name))
    (folder / "fd").symlink_to("/proc/self/fd")
    put_over(str(folder), "/dev")
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind("/dev/log")
    return log


def main() -> int:
    seen, resolv, _, *command = sys.argv[1:]
    Path("/proc/sys/net/ipv6/conf/lo/accept_dad").write_text("0")
    raise_loopback()
    Path(resolv).write_text(
        f"nameserver {RESOLVER}\nnameserver {RESOLVER6}\noptions timeout:5 attempts:1\n"
    )
    put_over(resolv, "/etc/resolv.conf")
    # A long file, like one that blocks advertisers. libc reads it in many pieces, so a race with
    # the reader can be won.
    hosts = f"{resolv}.hosts"
    Path(hosts).write_text("127.0.0.1 localhost\n" + "# nothing\n" * 8000)
    put_over(hosts, "/etc/hosts")
    if "ATTACK_OWN_RUN" in os.environ:
        ctypes.CDLL(None).mount(b"none", os.path.realpath("/var/run").encode(), b"tmpfs", 0, None)
    if "ATTACK_LANGUAGE" in os.environ:
        # A locale other than C, so that libc translates its messages.
        shutil.copytree("/usr/lib/locale/C.utf8", f"{resolv}.locale/xx_XX")
        put_over(f"{resolv}.locale", "/usr/lib/locale")
    mounted = os.environ.get("ATTACK_MOUNT")
    if mounted:
        Path(mounted).mkdir()
        put_over(os.environ["ATTACK_DIR"] if mounted.endswith("folder") else "/tmp", mounted)
    log = open_log(Path(f"{resolv}.dev")) if "ATTACK_LOG" in os.environ else None
    Path("/proc/sys/net/ipv4/tcp_fastopen").write_text("3")
    sinks = open_sinks()
    try:
        done = subprocess.run(command, env={**os.environ, **sinks.environment()}, check=False)
    finally:
        if log:
            log.close()
        sinks.close()
        sinks.write(Path(seen))
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


if __name__ == "__main__":
    sys.exit(main())
