# class: symbols
# rule: read_write_tmp
# also: native_code
# needs: x86_64 one-filesystem
# success: a file is renamed out of /tmp by libc's syscall
# proof: read
import ctypes

from attack import FILE, attempt, libc


@attempt
def steal():
    if libc().syscall(ctypes.c_long(82), FILE.encode(), b"taken") != 0:
        raise OSError(ctypes.get_errno(), "syscall")
    return open("taken").read()
