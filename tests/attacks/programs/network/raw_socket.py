# class: network
# rule: outbound_connectivity
# success: a socket for raw packets is made
# proof: word
# needs: namespace
import socket

from attack import attempt


@attempt
def make():
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    return out.sendto(b"\x08\x00\xf7\xff\x00\x00\x00\x00", ("127.66.66.66", 0)) == 8
