# class: symbols
# rule: read_write_tmp
# also: native_code
# success: a file in /tmp is read by libc's __openat64_2, through ctypes
# proof: read
import os

from attack import DIR, attempt, libc


@attempt
def steal():
    folder = os.open("/", os.O_PATH)
    return os.read(
        libc().__getattr__("__openat64_2")(folder, (DIR[1:] + "/file").encode(), os.O_RDONLY), 100
    )
