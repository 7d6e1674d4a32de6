# class: network
# rule: outbound_connectivity
# success: a connection goes out over multipath TCP
# proof: sink
import socket

from attack import SINK, attempt


@attempt
def connect():
    try:
        out = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    except OSError as error:
        if error.errno == 13:
            raise
        # A kernel without it: the plain one shows as much.
        out = socket.socket()
    out.connect(SINK)
    return out.send(b"taken") == 5
