# class: lambda
# rule: runtime_api
# success: after the metadata request, which is allowed, the next event is taken on the same
#   connection
# proof: next
# needs: snapshot
import socket

from attack import API, attempt

ALLOWED = (
    b"GET /2026-01-15/metadata/execution-environment HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer"
    b" t\r\n\r\n"
)
NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"


@attempt
def take():
    out = socket.create_connection(API, 3)
    out.sendall(ALLOWED)
    out.recv(1000)
    out.sendall(NEXT)
    return b"200" in out.recv(100)
