# class: no_event
# rule: read_write_tmp
# also: native_code
# success: a file is made in /tmp by a function object of ctypes that was made before
# proof: new
import ctypes
import os

from attack import NEW, attempt

# Looked up under another name's event, and called later: calls raise no event.
make = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)(("creat", ctypes.CDLL(None)))


@attempt
def stash():
    return make(os.fsencode(NEW), 0o600) >= 0
