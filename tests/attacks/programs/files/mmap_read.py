# class: files
# rule: read_write_tmp
# success: a file in /tmp is read as mapped memory
# proof: read
import mmap
import os

from attack import FILE, attempt


@attempt
def steal():
    with mmap.mmap(os.open(FILE, os.O_RDONLY), 0, prot=mmap.PROT_READ) as mapped:
        return mapped[:]
