# class: events
# rule: read_write_tmp
# success: error output is set to /dev/null, and no event tells of a folder made in /tmp
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.dup2(os.open("/dev/null", os.O_RDWR), 2)
    os.mkdir(NEW)
    return True
