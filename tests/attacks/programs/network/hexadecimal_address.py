# class: network
# rule: outbound_connectivity
# success: a connection goes to an address written in hexadecimal
# proof: sink
import socket

from attack import SINK, attempt


@attempt
def connect():
    return socket.create_connection(("0x7f.0x42.0x42.0x42", SINK[1]), 3).send(b"taken") == 5
