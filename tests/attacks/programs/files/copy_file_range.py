# class: files
# rule: read_write_tmp
# success: the kernel copies a file of /tmp into another
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    into = os.open("copy", os.O_RDWR | os.O_CREAT)
    os.copy_file_range(os.open(FILE, os.O_RDONLY), into, 100)
    return os.pread(into, 100, 0)
