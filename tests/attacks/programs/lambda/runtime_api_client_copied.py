# class: lambda
# rule: runtime_api
# policy: client.yaml
# success: the runtime client's socket is duplicated before the client connects it, and asks for the
#   next event by the copy
# proof: next
# needs: gcc
import os
import socket
import time

from attack import API, attempt, patience
from runtime_connection import start


@attempt
def ask():
    copy = os.dup(start(CLIENT_WAITS="300", CLIENT_SILENT="1"))
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=copy)
    end = time.monotonic() + patience(2)
    while time.monotonic() < end:
        try:
            if connection.getpeername() == API:
                break
        except OSError:
            time.sleep(0.01)
    return connection.send(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n") > 0
