# class: files
# rule: read_write_tmp
# success: a link's target in /tmp is read by an O_PATH fd of the link itself and an empty name
# proof: read
import os

from attack import LINK, attempt


@attempt
def steal():
    return os.readlink("", dir_fd=os.open(LINK, os.O_PATH | os.O_NOFOLLOW))
