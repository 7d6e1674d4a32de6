# class: files
# rule: guard_integrity
# also: native_code
# success: /tmp is mounted at another place, and a file read there
# proof: read
# needs: namespace
import ctypes
import os

from attack import FILE, attempt, libc

MS_BIND = 4096


@attempt
def steal():
    os.mkdir("elsewhere")
    if libc().mount(b"/tmp", b"elsewhere", None, MS_BIND, None) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    with open("elsewhere" + FILE[4:]) as opened:
        return opened.read()
