# class: symbols
# rule: read_write_tmp
# also: native_code
# needs: x86_64
# success: a file in /tmp is read by libc's syscall with open's system call number
# proof: read
import ctypes
import os

from attack import FILE, attempt, libc


@attempt
def steal():
    fd = libc().syscall(ctypes.c_long(2), FILE.encode(), ctypes.c_long(0), ctypes.c_long(0))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "syscall")
    return os.read(fd, 100)
