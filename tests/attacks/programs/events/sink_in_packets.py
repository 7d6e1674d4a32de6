# class: events
# rule: read_write_tmp
# success: error output is set to packet mode, in which a reader with a small buffer loses all but
#   the beginning, and a folder is made in /tmp
# proof: new
import fcntl
import os

from attack import NEW, attempt


@attempt
def stash():
    for fd in (1, 2, os.dup(2)):
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_DIRECT)
    os.mkdir(NEW)
    return True
