# class: children
# rule: create_child_process
# also: native_code
# success: a command line is run by libc's popen, through ctypes
# proof: mark
import ctypes

from attack import MARK, attempt, libc, wait_for


@attempt
def start():
    c = libc()
    c.popen.restype = ctypes.c_void_p
    return bool(c.popen(b"touch " + MARK.encode(), b"r")) and wait_for(MARK)
