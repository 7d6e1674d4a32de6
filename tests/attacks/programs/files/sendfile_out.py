# class: files
# rule: read_write_tmp
# success: the kernel copies a file of /tmp into a pipe
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    source = os.open(FILE, os.O_RDONLY)
    out, into = os.pipe()
    os.sendfile(into, source, 0, 100)
    return os.read(out, 100)
