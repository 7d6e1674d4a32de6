# class: events
# rule: read_write_tmp
# at_most: 30
# success: ten thousand tries drown the log, and a folder is made in /tmp by one of them
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    made = 0
    for _ in range(10000):
        try:
            os.mkdir(NEW)
            os.rmdir(NEW)
            made += 1
        except OSError:
            continue
    os.mkdir(NEW)
    return made > 0
