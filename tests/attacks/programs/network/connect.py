# class: network
# rule: outbound_connectivity
# success: a connection goes out
# proof: sink
import socket

from attack import SINK, attempt


@attempt
def connect():
    out = socket.socket()
    out.connect(SINK)
    return out.send(b"taken") == 5
