# class: files
# rule: read_write_tmp
# success: a folder in /tmp is removed
# proof: changed
import os

from attack import DIR, attempt


@attempt
def spoil():
    os.rmdir(DIR + "/empty")
    return True
