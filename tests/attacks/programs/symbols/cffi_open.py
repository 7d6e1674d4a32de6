# class: symbols
# rule: read_write_tmp
# also: native_code
# needs: module:cffi
# success: a file in /tmp is read by libc's open, through cffi
# proof: read
import os

import cffi
from attack import FILE, attempt


@attempt
def steal():
    ffi = cffi.FFI()
    ffi.cdef("int open(const char *, int, ...);")
    return os.read(ffi.dlopen(None).open(FILE.encode(), os.O_RDONLY), 100)
