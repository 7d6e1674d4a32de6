# class: files
# rule: read_write_tmp
# success: folders are made in /tmp relative to a folder's fd
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    root = os.open("/", os.O_PATH)
    os.mkdir("proc/../" + NEW[1:], dir_fd=root)
    return True
