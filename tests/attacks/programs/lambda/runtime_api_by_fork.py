# class: lambda
# rule: runtime_api
# policy: child-fork.yaml
# success: a child reaches the Runtime API, where forks are allowed
# proof: api
import os
import socket

from attack import API, attempt


@attempt
def connect():
    pid = os.fork()
    if pid == 0:
        try:
            socket.create_connection(API, 3).send(b"GET /")
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
