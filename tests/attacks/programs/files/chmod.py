# class: files
# rule: read_write_tmp
# success: data is kept in the mode of a file in /tmp
# proof: changed
import os

from attack import FILE, attempt


@attempt
def stash():
    os.chmod(FILE, 0o421)
    return True
