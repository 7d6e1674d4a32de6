# class: network
# rule: outbound_connectivity
# success: a connection goes out by connect_ex
# proof: sink
import socket

from attack import SINK, attempt


@attempt
def connect():
    return socket.socket().connect_ex(SINK) == 0
