# class: symbols
# rule: read_write_tmp
# also: native_code
# needs: x86_64
# success: a folder of /tmp is listed by system calls alone
# proof: read
import ctypes

from attack import DIR, attempt, libc


@attempt
def steal():
    c, names = libc(), ctypes.create_string_buffer(8192)
    fd = c.syscall(
        ctypes.c_long(257),
        ctypes.c_long(-100),
        DIR.encode(),
        ctypes.c_long(0o200000),
        ctypes.c_long(0),
    )
    if fd < 0:
        raise OSError(ctypes.get_errno(), "syscall")
    c.syscall(ctypes.c_long(217), ctypes.c_long(fd), names, ctypes.c_long(8192))
    return names.raw
