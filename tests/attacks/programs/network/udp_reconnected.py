# class: network
# rule: outbound_connectivity
# success: a datagram socket connected to loopback is connected to the outside
# proof: udp
import socket

from attack import UDP, attempt


@attempt
def send():
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(("127.0.0.1", 9))
    out.connect(UDP)
    return out.send(b"taken") == 5
