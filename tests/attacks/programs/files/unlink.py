# class: files
# rule: read_write_tmp
# success: a file in /tmp is removed
# proof: changed
import os

from attack import FILE, attempt


@attempt
def spoil():
    os.unlink(FILE)
    return True
