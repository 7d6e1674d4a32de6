# class: events
# rule: read_write_tmp
# success: /dev/null is put over every fd, and no event tells of a folder made in /tmp
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    nothing = os.open("/dev/null", os.O_RDWR)
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        if fd > 2 and fd != nothing:
            try:
                os.dup2(nothing, fd)
            except OSError:
                continue
    os.mkdir(NEW)
    return True
