"""A network device of the namespace, and the data that leaves through it."""

import errno
import fcntl
import socket
import struct
import time

SIOCSIFFLAGS, SIOCSIFADDR = 0x8914, 0x8916
IFF_UP, IFF_NOARP = 1, 0x80
NAME = b"leaves0"


def _attribute(kind, value):
    return struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _ask(kind, body):
    """Ask the kernel to create something, and wait for its answer."""
    asked = struct.pack("IHHII", 16 + len(body), kind, 0x605, 1, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.send(asked)
        error = struct.unpack_from("i", netlink.recv(4096), 16)[0]
    if error != 0:
        raise OSError(-error, "nothing was made")


def make():
    """Make a device that leads nowhere, with an address and no neighbours. Returns its index."""
    link = _attribute(3, NAME + b"\0") + _attribute(18, _attribute(1, b"veth"))
    _ask(16, struct.pack("BxHiII", 0, 0, 0, 0, 0) + link)  # RTM_NEWLINK
    peer = next(name for _, name in socket.if_nameindex() if name.startswith("veth"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        place = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton("10.66.0.1"))
        fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16s16s", NAME, place))
        for name in (NAME, peer.encode()):
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", name, IFF_UP | IFF_NOARP))
    index = socket.if_nametoindex(NAME.decode())
    # RTM_NEWROUTE: all of IPv6 through this device
    route = struct.pack("8BI", socket.AF_INET6, 0, 0, 0, 254, 4, 0, 1, 0)
    _ask(24, route + _attribute(4, struct.pack("i", index)))
    return index


def sent():
    """How many bytes have left through the device."""
    with open("/proc/net/dev") as table:
        for line in table:
            name, _, figures = line.partition(":")
            if name.strip() == NAME.decode():
                return int(figures.split()[8])
    raise LookupError(NAME)


def leaves(ways, seconds):
    """The names of the ways by which data sent to this machine's own address leaves through the
    device."""
    return [way.__name__ for way in ways if _leaves(way, seconds)]


def _leaves(way, seconds):
    """Tries for `seconds`, because a device and its address take a moment to be ready."""
    data, end = b"taken" * 200, time.monotonic() + seconds
    while time.monotonic() < end:
        before = sent()
        try:
            for _ in range(5):
                way(data)
        except OSError as error:
            print("not by", way.__name__, error)
            if error.errno in (errno.EACCES, errno.EINVAL):  # refused, or not in this kernel
                return False
        if sent() - before > 4 * len(data):
            return True
        time.sleep(0.05)
    return False
