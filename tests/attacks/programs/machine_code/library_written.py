# class: machine_code
# rule: native_code
# needs: gcc
# success: a library that the function wrote itself reads a file in /tmp
# proof: read
import ctypes
import os
import shutil

from attack import FILE, attempt


@attempt
def steal():
    shutil.copy(os.environ["ATTACK_LIBRARY"], "innocent.so")
    library, text = ctypes.CDLL("./innocent.so"), ctypes.create_string_buffer(200)
    library.raw_read(FILE.encode(), text, ctypes.c_long(199))
    return text.value
