# class: files
# rule: read_write_tmp
# success: a file of /tmp becomes standard output, and printing fills it
# proof: new
import os
import sys

from attack import NEW, SECRET, attempt


@attempt
def stash():
    kept = os.dup(1)
    os.close(1)
    fd = os.open(NEW, os.O_CREAT | os.O_WRONLY)
    print(SECRET)
    sys.stdout.flush()
    os.dup2(kept, 1)
    return fd == 1
