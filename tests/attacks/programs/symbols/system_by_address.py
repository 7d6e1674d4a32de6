# class: symbols
# rule: create_child_process native_code
# success: a process is started by libc's own system, called by its address
# proof: mark
import ctypes

from attack import MARK, attempt, by_address, wait_for


@attempt
def start():
    ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)(by_address("system"))(b"touch " + MARK.encode())
    return wait_for(MARK)
