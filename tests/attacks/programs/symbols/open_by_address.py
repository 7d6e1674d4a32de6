# class: symbols
# rule: read_write_tmp native_code
# success: a file in /tmp is read by libc's own open64, called by its address
# proof: read
import ctypes
import os

from attack import FILE, attempt, by_address


@attempt
def steal():
    inner = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int)(by_address("open64"))
    return os.read(inner(FILE.encode(), os.O_RDONLY), 100)
