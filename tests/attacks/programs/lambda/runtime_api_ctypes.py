# class: lambda
# rule: runtime_api
# also: native_code
# success: the Runtime API is reached by libc, through ctypes
# proof: api
import ctypes
import socket

from attack import API, address, attempt, libc


@attempt
def connect():
    out, where = socket.socket(), address(*API)
    if libc().connect(out.fileno(), where, len(where)) != 0:
        raise OSError(ctypes.get_errno(), "connect")
    return out.send(b"GET / HTTP/1.0\r\n\r\n") > 0
