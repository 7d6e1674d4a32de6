# class: network
# rule: outbound_connectivity
# success: a connection goes to an address written in octal, with a part left out
# proof: sink
import socket

from attack import SINK, attempt


@attempt
def connect():
    return socket.create_connection(("0177.0102.041102", SINK[1]), 3).send(b"taken") == 5
