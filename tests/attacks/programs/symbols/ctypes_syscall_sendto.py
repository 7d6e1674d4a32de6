# class: symbols
# rule: outbound_connectivity
# also: native_code
# needs: x86_64
# success: a datagram goes out by libc's syscall
# proof: udp
import ctypes
import socket

from attack import UDP, address, attempt, libc


@attempt
def send():
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    where = address(*UDP)
    number, fd, none = ctypes.c_long(44), ctypes.c_long(out.fileno()), ctypes.c_long(0)
    return (
        libc().syscall(
            number, fd, b"taken", ctypes.c_long(5), none, where, ctypes.c_long(len(where))
        )
        == 5
    )
