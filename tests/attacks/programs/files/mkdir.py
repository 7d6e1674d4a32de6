# class: files
# rule: read_write_tmp
# success: a folder is made in /tmp whose name carries data
# proof: new
import os

from attack import NEW, SECRET, attempt


@attempt
def stash():
    os.mkdir(NEW + SECRET)
    return True
