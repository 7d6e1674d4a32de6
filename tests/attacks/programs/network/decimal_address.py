# class: network
# rule: outbound_connectivity
# success: a connection goes to an address written as one integer
# proof: sink
import socket

from attack import SINK, attempt


@attempt
def connect():
    return socket.create_connection(("2135048770", SINK[1]), 3).send(b"taken") == 5
