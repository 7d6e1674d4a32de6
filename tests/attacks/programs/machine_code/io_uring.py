# class: machine_code
# rule: native_code guard_integrity
# also: native_code
# needs: io_uring
# success: an io_uring is set up, through which the kernel opens and connects without a door
# proof: word
import ctypes

from attack import attempt, libc


@attempt
def make():
    fd = libc().syscall(ctypes.c_long(425), ctypes.c_long(4), ctypes.create_string_buffer(256))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "io_uring_setup")
    return True
