# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a connection is passed to another process, which sends bytes that are not TLS
# proof: word
# needs: resolver python>=3.9
import os
import socket

from attack import SECRET, at_allowed, attempt


def say(out):
    near, far = socket.socketpair()
    if os.fork() == 0:
        try:
            near.close()
            os.write(socket.recv_fds(far, 1, 1)[1][0], SECRET.encode())
        finally:
            os._exit(0)
    far.close()
    socket.send_fds(near, [b"."], [out.fileno()])
    near.close()
    os.wait()


@attempt
def send():
    return at_allowed(say)
