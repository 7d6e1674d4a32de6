# class: children
# rule: create_child_process
# also: native_code
# needs: x86_64
# success: a child made by clone3 through libc's syscall, through ctypes, leaves a mark
# proof: mark
import ctypes
import os
import struct

from attack import MARK, attempt

SIGCHLD = 17


@attempt
def start():
    arguments = struct.pack("<11Q", 0, 0, 0, 0, SIGCHLD, 0, 0, 0, 0, 0, 0)
    c = ctypes.PyDLL("libc.so.6")
    pid = c.syscall(ctypes.c_long(435), arguments, ctypes.c_long(len(arguments)))
    if pid < 0:
        pid = c.syscall(ctypes.c_long(56), ctypes.c_long(SIGCHLD), None, None, None, None)
    if pid == 0:
        os.close(os.open(MARK, os.O_CREAT | os.O_WRONLY))
        os._exit(0)
    return pid > 0 and os.waitpid(pid, 0)[1] == 0
