# class: symbols
# rule: guard_integrity read_write_tmp
# also: native_code
# success: a second libc in a namespace of its own reads a file in /tmp
# proof: read
import ctypes
import os

from attack import FILE, attempt


@attempt
def steal():
    c = ctypes.CDLL(None)
    c.dlmopen.restype = c.dlsym.restype = ctypes.c_void_p
    handle = c.dlmopen(ctypes.c_long(-1), b"libc.so.6", 2)
    if not handle:
        return ""
    found = c.dlsym(ctypes.c_void_p(handle), b"open")
    fd = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int)(found)(
        FILE.encode(), os.O_RDONLY
    )
    return os.read(fd, 100) if fd >= 0 else ""
