# class: children
# rule: outbound_connectivity
# policy: child-fork.yaml
# success: a daemon connects after the process that made it has ended
# proof: sink
import os
import socket

from attack import SINK, attempt


@attempt
def connect():
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        first = os.getpid()
        if os.fork() == 0:
            while os.getppid() == first:
                pass
            try:
                os.write(into, b"1" if socket.socket().connect_ex(SINK) == 0 else b"0")
            finally:
                os._exit(0)
        os._exit(0)
    os.close(into)
    os.waitpid(pid, 0)
    return os.read(out, 1) == b"1"
