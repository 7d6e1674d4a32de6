# class: events
# rule: read_write_tmp
# also: native_code
# needs: x86_64
# success: all fds are closed by libc's syscall, and no event tells of a folder made in /tmp
# proof: new
import ctypes
import os

from attack import NEW, attempt, libc


@attempt
def stash():
    c = libc()
    for fd in range(3, 2048):
        c.syscall(ctypes.c_long(3), ctypes.c_long(fd))
    c.syscall(ctypes.c_long(436), ctypes.c_long(3), ctypes.c_long(0xFFFFFFFF), ctypes.c_long(0))
    os.mkdir(NEW)
    return True
