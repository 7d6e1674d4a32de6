# class: files
# rule: read_write_tmp
# success: folders are made in /tmp from a folder's descriptor
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    root = os.open("/", os.O_PATH)
    os.mkdir("proc/../" + NEW[1:], dir_fd=root)
    return True
