# class: files
# rule: read_write_tmp
# success: a file of the function's in /tmp is made executable, whose path is longer than what is
#   read of /proc/self/maps
# proof: word
# policy: ephemeral.yaml
import ctypes
import mmap
import os

from attack import NEW, attempt, libc


@attempt
def map_code():
    folder = NEW + ("/" + "d" * 200) * 6
    os.makedirs(folder)
    with open(folder + "/code", "wb") as file:
        file.write(b"\xc3" * mmap.PAGESIZE)
    with open(folder + "/code", "rb") as file:
        call = libc().mmap
        call.restype = ctypes.c_void_p
        call.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
        at = call(None, mmap.PAGESIZE, mmap.PROT_READ, mmap.MAP_PRIVATE, file.fileno(), 0)
    return libc().mprotect(ctypes.c_void_p(at), mmap.PAGESIZE, 1 | 4) == 0
