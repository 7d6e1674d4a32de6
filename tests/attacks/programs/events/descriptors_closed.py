# class: events
# rule: read_write_tmp
# success: with every descriptor closed but the standard ones, a folder is made in /tmp and nobody hears of it
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.closerange(3, 4096)
    os.mkdir(NEW)
    return True
