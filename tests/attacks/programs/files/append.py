# class: files
# rule: read_write_tmp
# success: a line is added to a file in /tmp
# proof: changed
import os

from attack import FILE, attempt


@attempt
def stash():
    fd = os.open(FILE, os.O_WRONLY | os.O_APPEND)
    return os.write(fd, b"more\n") == 5
