# class: symbols
# rule: read_write_tmp
# also: native_code
# success: a file in /tmp is read by libc's fopen, through ctypes
# proof: read
import ctypes

from attack import FILE, attempt, libc


@attempt
def steal():
    c, line = libc(), ctypes.create_string_buffer(200)
    c.fopen.restype = ctypes.c_void_p
    stream = c.fopen(FILE.encode(), b"r")
    if not stream:
        raise OSError(ctypes.get_errno(), "fopen")
    c.fgets(line, 200, ctypes.c_void_p(stream))
    return line.value
