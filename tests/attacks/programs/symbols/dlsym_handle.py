# class: symbols
# rule: read_write_tmp
# also: native_code
# success: a file in /tmp is read by the open that dlsym finds in libc's own handle, by version
# proof: read
import ctypes
import os

from attack import FILE, attempt


@attempt
def steal():
    c = ctypes.CDLL(None)
    c.dlopen.restype = c.dlsym.restype = c.dlvsym.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(c.dlopen(b"libc.so.6", 2))
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
    for found in (
        c.dlvsym(handle, b"open64", b"GLIBC_2.2.5"),
        c.dlsym(handle, b"__open64"),
        c.dlsym(handle, b"open"),
    ):
        fd = kind(found)(FILE.encode(), os.O_RDONLY) if found else -1
        if fd >= 0:
            return os.read(fd, 100)
    return ""
