# class: symbols
# rule: read_write_tmp
# also: native_code
# success: a file in /tmp is read by libc's open, through ctypes
# proof: read
import os

from attack import FILE, attempt, libc


@attempt
def steal():
    return os.read(libc().open(FILE.encode(), os.O_RDONLY), 100)
