# class: files
# rule: read_write_tmp
# success: an attribute of a file in /tmp is read through /proc/self/fd of an O_PATH fd
# proof: read
# needs: xattr
import os

from attack import FILE, attempt


@attempt
def steal():
    return os.getxattr("/proc/self/fd/%d" % os.open(FILE, os.O_PATH), "user.loot")
