# class: events
# rule: read_write_tmp
# success: all fds are closed one by one, and no event tells of a folder made in /tmp
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    for fd in range(3, 2048):
        try:
            os.close(fd)
        except OSError:
            continue
    os.mkdir(NEW)
    return True
