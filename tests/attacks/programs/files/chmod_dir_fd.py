# class: files
# rule: read_write_tmp
# success: the mode of a file in /tmp is changed relative to an fd
# proof: changed
import os

from attack import DIR, attempt


@attempt
def stash():
    os.chmod("file", 0o421, dir_fd=os.open(DIR, os.O_PATH))
    return True
