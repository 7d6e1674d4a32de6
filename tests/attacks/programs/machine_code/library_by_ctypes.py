# class: machine_code
# rule: native_code
# needs: gcc
# success: a library that makes its own system calls is loaded by ctypes, and reads a file in /tmp
# proof: read
import ctypes
import os

from attack import FILE, attempt


@attempt
def steal():
    library, text = ctypes.CDLL(os.environ["ATTACK_LIBRARY"]), ctypes.create_string_buffer(200)
    library.raw_read(FILE.encode(), text, ctypes.c_long(199))
    return text.value
