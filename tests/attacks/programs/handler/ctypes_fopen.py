# class: handler
# rule: read_handler
# success: the source is read by libc, through ctypes
# proof: read
# when: import
# also: native_code
import ctypes

from attack import HANDLER, attempt, libc


@attempt
def steal():
    c, text = libc(), ctypes.create_string_buffer(500)
    c.fopen.restype = ctypes.c_void_p
    stream = c.fopen(HANDLER.encode(), b"r")
    if stream:
        c.fread(text, 1, 499, ctypes.c_void_p(stream))
    return text.value
