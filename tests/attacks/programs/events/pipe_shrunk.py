# class: events
# rule: read_write_tmp
# success: with the pipe of error output made as small as it goes, a folder is made in /tmp and nobody hears of it
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
