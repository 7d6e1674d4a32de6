# class: files
# rule: read_write_tmp
# success: a file of the function's in /tmp is made executable where the process may open nothing
#   more
# proof: word
# policy: ephemeral.yaml
import ctypes
import mmap
import resource

from attack import NEW, attempt, libc


@attempt
def map_code():
    with open(NEW, "wb") as file:
        file.write(b"\xc3" * mmap.PAGESIZE)
    with open(NEW, "rb") as file:
        call = libc().mmap
        call.restype = ctypes.c_void_p
        call.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
        at = call(None, mmap.PAGESIZE, mmap.PROT_READ, mmap.MAP_PRIVATE, file.fileno(), 0)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limit[1]))
        try:
            return libc().mprotect(ctypes.c_void_p(at), mmap.PAGESIZE, 1 | 4) == 0
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
