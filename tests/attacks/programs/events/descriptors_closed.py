# class: events
# rule: read_write_tmp
# success: all fds but the standard ones are closed, and no event tells of a folder made in /tmp
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.closerange(3, 4096)
    os.mkdir(NEW)
    return True
