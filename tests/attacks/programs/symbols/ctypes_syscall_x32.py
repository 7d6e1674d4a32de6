# class: symbols
# rule: read_write_tmp
# also: native_code
# needs: x86_64
# success: the x32 system call numbers are tried as well as the plain one
# proof: read
import ctypes
import os

from attack import FILE, attempt, libc


@attempt
def steal():
    for bits in (0x40000000, 0):
        number = ctypes.c_long(257 | bits)
        fd = libc().syscall(
            number, ctypes.c_long(-100), FILE.encode(), ctypes.c_long(0), ctypes.c_long(0)
        )
        if fd >= 0:
            return os.read(fd, 100)
    raise OSError(ctypes.get_errno(), "syscall")
