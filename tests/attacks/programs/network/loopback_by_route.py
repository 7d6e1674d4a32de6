# class: network
# rule: outbound_connectivity
# success: what is sent to 127.0.0.1 leaves by way of an address that is put into its header
# proof: word
# needs: namespace veth
import socket
import struct

import devices
from attack import attempt, patience

HOP, HOP_SIX = socket.inet_aton("10.66.0.2"), socket.inet_pton(socket.AF_INET6, "fd66::2")
FOUR, SIX = ("127.0.0.1", 9), ("::1", 9)
LOOSE = struct.pack("BBB4sB", 131, 7, 4, HOP, 1)
# The routing headers of Mobile IPv6 and of segment routing, where the kernel has them.
MOBILE = struct.pack("BBBBI16s", 0, 2, 2, 1, 0, HOP_SIX)
SEGMENTS = struct.pack("BBBBBBH16s16s", 0, 4, 4, 1, 1, 0, 0, bytes(16), HOP_SIX)
IP_OPTIONS, IP_RETOPTS = 4, 7
IPV6_FLOWLABEL_MGR, IPV6_FLOWINFO_SEND, IPV6_RTHDR, LABEL = 32, 33, 57, 0x12345


def four():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def six():
    return socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)


def option(data):
    out = four()
    out.setsockopt(socket.IPPROTO_IP, IP_OPTIONS, LOOSE)
    out.sendto(data, FOUR)


def message(data):
    four().sendmsg([data], [(socket.IPPROTO_IP, IP_RETOPTS, LOOSE)], 0, FOUR)


def option_six(data):
    out = six()
    out.setsockopt(socket.IPPROTO_IPV6, IPV6_RTHDR, SEGMENTS)
    out.sendto(data, SIX)


def message_six(data):
    six().sendmsg([data], [(socket.IPPROTO_IPV6, IPV6_RTHDR, MOBILE)], 0, SIX)


def label(data):
    """The label of a flow has what every packet of it is sent with."""
    out = six()
    asked = struct.pack("!16sI", socket.inet_pton(socket.AF_INET6, SIX[0]), LABEL)
    asked += struct.pack("BBHHHI", 0, 1, 1, 0, 0, 0)
    route = struct.pack("QII", 16 + len(MOBILE), socket.IPPROTO_IPV6, IPV6_RTHDR) + MOBILE
    out.setsockopt(socket.IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, asked + route)
    out.setsockopt(socket.IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1)
    out.sendto(data, (*SIX, LABEL, 0))


@attempt
def send():
    devices.make()
    return devices.leaves([option, message, option_six, message_six, label], patience(5))
