# class: network
# rule: outbound_connectivity
# policy: child-mode-allow.yaml
# success: a forked child connects
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
