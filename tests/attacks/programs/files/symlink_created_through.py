# class: files
# rule: read_write_tmp
# success: a file is made in /tmp by opening a dangling link to it for writing
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.symlink(NEW, "dangling")
    fd = os.open("dangling", os.O_CREAT | os.O_WRONLY)
    return os.write(fd, b"kept") == 4
