# class: network
# rule: outbound_connectivity
# success: a datagram goes out by sendmsg, from a socket connected to loopback
# proof: udp
import socket

from attack import UDP, attempt


@attempt
def send():
    near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    near.bind(("127.0.0.1", 0))
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(near.getsockname())
    return out.sendmsg([b"tak", b"en"], [], 0, UDP) == 5
