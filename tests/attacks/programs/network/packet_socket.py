# class: network
# rule: outbound_connectivity
# success: a socket for the link layer is made
# proof: word
# needs: namespace
import socket

from attack import attempt


@attempt
def make():
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    out.bind(("lo", 0))
    return out.send(bytes(14) + b"taken") > 0
