# class: machine_code
# rule: native_code
# success: a memory file is made, which could hold a program or a library
# proof: word
import os

from attack import attempt


@attempt
def make():
    fd = os.memfd_create("innocent", os.MFD_CLOEXEC)
    return os.write(fd, b"\x7fELF") == 4
