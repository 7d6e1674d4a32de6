# class: files
# rule: read_write_tmp
# success: a file in /tmp is cut short by its name
# proof: changed
import os

from attack import FILE, attempt


@attempt
def spoil():
    os.truncate(FILE, 3)
    return True
