# class: machine_code
# rule: native_code
# needs: x86_64
# success: the kernel writes to an address that fcntl.fcntl or fcntl.ioctl passes on as an integer
# proof: word
import fcntl
import os

from attack import attempt
from low_page import low_page

F_GETOWN_EX, FIONREAD = 16, 0x541B


@attempt
def write():
    page, where = low_page()
    come, go = os.pipe()
    os.write(go, b"12345")
    tried = []
    for call, request, at in ((fcntl.fcntl, F_GETOWN_EX, 0), (fcntl.ioctl, FIONREAD, 64)):
        page[:128] = b"\xff" * 128
        try:
            call(come, request, where + at)
        except OSError:
            continue
        tried.append(page[at : at + 4] != b"\xff" * 4)
    return any(tried)
