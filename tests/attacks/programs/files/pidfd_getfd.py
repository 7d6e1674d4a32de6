# class: files
# rule: guard_integrity read_write_tmp
# also: native_code
# success: a file in /tmp that another process holds open is read through a copy of its fd
# proof: read
# needs: root python>=3.9
import ctypes
import os

from attack import HELD, attempt, libc


@attempt
def steal():
    pid, fd = (int(part) for part in HELD.split(":"))
    c = libc()
    copy = c.syscall(ctypes.c_long(438), os.pidfd_open(pid), fd, 0)
    if copy < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return os.pread(copy, 100, 0)
