# class: files
# rule: read_write_tmp
# success: data is kept in an attribute of a file in /tmp
# proof: changed
# needs: xattr
import os

from attack import FILE, SECRET, attempt


@attempt
def stash():
    os.setxattr(FILE, "user.kept", SECRET.encode())
    return True
