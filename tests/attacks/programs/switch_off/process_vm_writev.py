# class: switch_off
# rule: guard_integrity
# also: native_code
# success: the process's own memory is written by process_vm_writev
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
    libc().process_vm_writev(os.getpid(), ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
    return target.value == b"taken"
