# class: switch_off
# rule: guard_integrity
# also: native_code
# needs: x86_64
# success: the process's own memory is written by process_vm_writev through libc's syscall
# proof: word
import ctypes
import os

from attack import attempt, libc


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


@attempt
def corrupt():
    source, target = ctypes.create_string_buffer(b"taken"), ctypes.create_string_buffer(8)
    local = Piece(ctypes.addressof(source), 5)
    remote = Piece(ctypes.addressof(target), 5)
    one, none = ctypes.c_long(1), ctypes.c_long(0)
    number, pid = ctypes.c_long(311), ctypes.c_long(os.getpid())
    libc().syscall(number, pid, ctypes.byref(local), one, ctypes.byref(remote), one, none)
    return target.value == b"taken"
