# class: children
# rule: outbound_connectivity
# policy: child-fork.yaml
# success: a child connects, where forks are allowed
# proof: sink
import os
import socket

from attack import SINK, attempt


@attempt
def connect():
    pid = os.fork()
    if pid == 0:
        os._exit(0 if socket.socket().connect_ex(SINK) == 0 else 1)
    return os.waitpid(pid, 0)[1] == 0
