# class: files
# rule: read_write_tmp
# success: a file in /tmp that was opened in a second mount of /tmp is made executable
# proof: word
# policy: ephemeral.yaml
# needs: namespace mounted
import ctypes
import mmap
import os

from attack import NEW, attempt, libc


@attempt
def map_code():
    with open(NEW, "wb") as file:
        file.write(b"\xc3" * mmap.PAGESIZE)
    with open(os.environ["ATTACK_MOUNT"] + NEW[len("/tmp") :], "rb") as file:
        call = libc().mmap
        call.restype = ctypes.c_void_p
        call.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
        at = call(None, mmap.PAGESIZE, mmap.PROT_READ, mmap.MAP_PRIVATE, file.fileno(), 0)
    return libc().mprotect(ctypes.c_void_p(at), mmap.PAGESIZE, 1 | 4) == 0
