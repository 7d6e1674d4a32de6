# class: files
# rule: read_write_tmp
# success: a file of the function's in /tmp is made executable by a call that begins in the memory
#   before it
# proof: word
# policy: ephemeral.yaml
import ctypes
import mmap

from attack import NEW, attempt, libc

PAGE = mmap.PAGESIZE


@attempt
def map_code():
    with open(NEW, "wb") as file:
        file.write(b"\xc3" * PAGE)
    with open(NEW, "rb") as file:
        call = libc().mmap
        call.restype = ctypes.c_void_p
        call.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
        at = call(None, 2 * PAGE, mmap.PROT_READ, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        call(at + PAGE, PAGE, mmap.PROT_READ, mmap.MAP_PRIVATE | 0x10, file.fileno(), 0)
    return libc().mprotect(ctypes.c_void_p(at), 2 * PAGE, 1 | 4) == 0
