# class: events
# rule: read_write_tmp
# success: the pipe of error output is made as small as possible, and no event tells of a folder
#   made in /tmp
# proof: new
import fcntl
import os

from attack import NEW, attempt


@attempt
def stash():
    for name in os.listdir("/proc/self/fd"):
        try:
            fcntl.fcntl(int(name), 1031, 4096)
        except OSError:
            continue
    os.mkdir(NEW)
    return True
