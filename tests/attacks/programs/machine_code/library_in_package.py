# class: machine_code
# rule: native_code
# open: machine code in the function's own package that makes its system calls itself passes no door; only
#   kernel limits could hold it
# needs: gcc
# success: an extension in the function's package reads a file in /tmp by its own system calls
# proof: read
import ctypes
import os

from attack import FILE, attempt


@attempt
def steal():
    library, text = ctypes.CDLL(os.environ["ATTACK_LIBRARY"]), ctypes.create_string_buffer(200)
    library.raw_read(FILE.encode(), text, ctypes.c_long(199))
    return text.value
