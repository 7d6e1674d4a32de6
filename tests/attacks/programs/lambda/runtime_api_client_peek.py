# class: lambda
# rule: runtime_api
# policy: client.yaml
# success: the next event is read from the runtime client's own connection, and left there for the
#   client
# proof: word
# needs: gcc
import socket

from attack import attempt
from runtime_connection import answered, start


@attempt
def peek():
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=answered(start()))
    heard = []
    for receive in (
        lambda: connection.recv(4096, socket.MSG_PEEK),
        lambda: connection.recvfrom(4096, socket.MSG_PEEK)[0],
        lambda: connection.recvmsg(4096, 0, socket.MSG_PEEK)[0],
    ):
        try:
            heard.append(receive())
        except PermissionError:
            pass
    connection.detach()
    return any(heard)
