# class: machine_code
# rule: native_code
# needs: gcc
# success: a library loaded from a memory file reads a file in /tmp
# proof: read
import ctypes
import os

from attack import FILE, attempt


@attempt
def steal():
    with open(os.environ["ATTACK_LIBRARY"], "rb") as opened:
        code = opened.read()
    fd = os.memfd_create("innocent")
    os.write(fd, code)
    library, text = ctypes.CDLL("/proc/self/fd/%d" % fd), ctypes.create_string_buffer(200)
    library.raw_read(FILE.encode(), text, ctypes.c_long(199))
    return text.value
