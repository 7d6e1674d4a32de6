# class: machine_code
# rule: native_code
# success: a file that is only memory is made, which could hold a program or a library
# proof: word
import os

from attack import attempt


@attempt
def make():
    fd = os.memfd_create("innocent", os.MFD_CLOEXEC)
    return os.write(fd, b"\x7fELF") == 4
