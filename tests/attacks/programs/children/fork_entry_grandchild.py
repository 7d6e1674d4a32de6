# class: children
# rule: outbound_connectivity
# policy: child-fork.yaml
# success: the child of a child connects, where forks are allowed
# proof: sink
import os
import socket

from attack import SINK, attempt


def below(depth):
    pid = os.fork()
    if pid == 0:
        if depth > 0:
            os._exit(below(depth - 1))
        os._exit(0 if socket.socket().connect_ex(SINK) == 0 else 1)
    return os.waitpid(pid, 0)[1] >> 8


@attempt
def connect():
    return below(2) == 0
