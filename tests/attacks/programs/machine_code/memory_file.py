# class: machine_code
# rule: native_code
# open: native_code is not implemented yet: a file that is only memory may be made
# success: a file that is only memory is made, which could hold a program or a library
# proof: word
import os

from attack import attempt


@attempt
def make():
    fd = os.memfd_create("innocent", os.MFD_CLOEXEC)
    return os.write(fd, b"\x7fELF") == 4
