# class: files
# rule: read_write_tmp
# success: data is kept in the times of a file in /tmp
# proof: changed
import os

from attack import FILE, attempt


@attempt
def stash():
    os.utime(FILE, (12345, 67890))
    return os.stat(FILE).st_mtime == 67890
