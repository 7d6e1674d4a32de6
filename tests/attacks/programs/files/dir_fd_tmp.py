# class: files
# rule: read_write_tmp
# success: a file is made relative to an O_PATH fd of /tmp
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    folder = os.open("/tmp", os.O_PATH | os.O_DIRECTORY)
    fd = os.open(os.path.basename(NEW), os.O_CREAT | os.O_WRONLY, dir_fd=folder)
    return os.write(fd, b"kept") == 4
