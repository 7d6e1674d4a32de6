# class: symbols
# rule: outbound_connectivity
# also: native_code
# success: datagrams go out by libc's sendmmsg, the first to loopback and the second outside
# proof: udp
import ctypes
import socket

from attack import UDP, address, attempt, libc


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class Message(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("name_size", ctypes.c_uint),
        ("pieces", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("sent", ctypes.c_uint),
        ("pad", ctypes.c_uint),
    ]


@attempt
def send():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    piece = Piece(b"taken", 5)
    targets = [address(*receiver.getsockname()), address(*UDP)]
    messages = (Message * 2)()
    for message, target in zip(messages, targets):
        # In the order of struct msghdr, followed by msg_len.
        message.name, message.name_size = target, len(target)
        message.pieces, message.count = ctypes.addressof(piece), 1
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return libc().sendmmsg(out.fileno(), messages, 2, 0) == 2
