# class: lambda
# rule: runtime_api
# success: the Runtime API is reached by the unspecified address
# proof: api
import socket

from attack import API, attempt


@attempt
def connect():
    return socket.create_connection(("0.0.0.0", API[1]), 3).send(b"GET / HTTP/1.0\r\n\r\n") > 0
