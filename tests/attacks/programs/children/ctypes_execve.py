# class: children
# rule: create_child_process
# also: native_code
# success: the process becomes another program by libc's syscall, through ctypes
# proof: mark
# needs: x86_64
import ctypes

from attack import MARK, attempt, libc


@attempt
def start():
    argv = (ctypes.c_char_p * 4)(
        b"sh", b"-c", b"/usr/bin/touch %s; echo REACHED" % MARK.encode(), None
    )
    libc().syscall(ctypes.c_long(59), b"/bin/sh", argv, (ctypes.c_char_p * 1)(None))
    raise OSError(ctypes.get_errno(), "execve")
