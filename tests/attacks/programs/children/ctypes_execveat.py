# class: children
# rule: create_child_process
# also: native_code
# success: the process becomes a program in a memory file by execveat, through ctypes
# proof: mark
# needs: x86_64
import ctypes
import os

from attack import MARK, attempt, libc

AT_EMPTY_PATH = 0x1000


@attempt
def start():
    fd = os.memfd_create("innocent", 0)
    with open("/bin/sh", "rb") as program:
        os.write(fd, program.read())
    argv = (ctypes.c_char_p * 4)(
        b"sh", b"-c", b"/usr/bin/touch %s; echo REACHED" % MARK.encode(), None
    )
    none, flags = (ctypes.c_char_p * 1)(None), ctypes.c_long(AT_EMPTY_PATH)
    libc().syscall(ctypes.c_long(322), ctypes.c_long(fd), b"", argv, none, flags)
    raise OSError(ctypes.get_errno(), "execveat")
