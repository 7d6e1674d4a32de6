# class: events
# rule: read_write_tmp
# success: with /dev/null as error output, a folder is made in /tmp and nobody hears of it
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.dup2(os.open("/dev/null", os.O_RDWR), 2)
    os.mkdir(NEW)
    return True
