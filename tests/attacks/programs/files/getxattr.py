# class: files
# rule: read_write_tmp
# success: an attribute of a file in /tmp is read
# proof: read
# needs: xattr
import os

from attack import FILE, attempt


@attempt
def steal():
    return os.getxattr(FILE, "user.loot")
