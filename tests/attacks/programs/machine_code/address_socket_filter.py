# class: machine_code
# rule: native_code
# success: the kernel reads from an address that stands in a structure for setsockopt
# proof: word
import socket
import struct

from attack import attempt

SO_ATTACH_FILTER = 26


@attempt
def read():
    drop = struct.pack("HBBI", 6, 0, 0, 0)  # return 0: nothing passes
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    other.settimeout(0.5)
    one.send(b"before")
    assert other.recv(16) == b"before"
    other.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", 1, id(drop) + 32))
    try:
        one.send(b"after")
        return other.recv(16) == b""
    except OSError:
        return True
