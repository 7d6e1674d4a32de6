# class: events
# rule: read_write_tmp
# success: with each descriptor closed by itself, a folder is made in /tmp and nobody hears of it
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
