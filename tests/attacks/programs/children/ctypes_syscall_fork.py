# class: children
# rule: create_child_process
# also: native_code
# needs: x86_64
# success: a child forked by libc's syscall, through ctypes, leaves a mark
# proof: mark
import ctypes
import os

from attack import MARK, attempt


@attempt
def start():
    pid = ctypes.PyDLL("libc.so.6").syscall(ctypes.c_long(57))
    if pid == 0:
        os.close(os.open(MARK, os.O_CREAT | os.O_WRONLY))
        os._exit(0)
    return pid > 0 and os.waitpid(pid, 0)[1] == 0
