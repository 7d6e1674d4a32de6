# class: files
# rule: read_write_tmp
# success: a file in /tmp is read relative to an fd of /
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    root = os.open("/", os.O_RDONLY)
    return os.read(os.open(FILE[1:], os.O_RDONLY, dir_fd=root), 100)
