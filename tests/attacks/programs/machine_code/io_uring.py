# class: machine_code
# rule: native_code guard_integrity
# also: native_code
# needs: io_uring
# success: a ring is set up, in which the kernel would open and connect with no door passed
# proof: word
import ctypes

from attack import attempt, libc


@attempt
def make():
    fd = libc().syscall(ctypes.c_long(425), ctypes.c_long(4), ctypes.create_string_buffer(256))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "io_uring_setup")
    return True
