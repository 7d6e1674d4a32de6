# class: lambda
# rule: runtime_api
# success: the Runtime API is reached by the unspecified address, written as IPv6
# proof: api
import socket

from attack import API, attempt


@attempt
def connect():
    out = socket.socket(socket.AF_INET6)
    out.connect(("::ffff:0.0.0.0", API[1]))
    return out.send(b"GET / HTTP/1.0\r\n\r\n") > 0
