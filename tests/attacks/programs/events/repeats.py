# class: events
# rule: read_write_tmp
# at_most: 30
# success: ten thousand reads of one file in /tmp drown the log, and a folder is made there
# proof: new
import os

from attack import FILE, NEW, attempt


@attempt
def stash():
    read = 0
    for _ in range(10000):
        try:
            os.close(os.open(FILE, os.O_RDONLY))
            read += 1
        except OSError:
            continue
    os.mkdir(NEW)
    return read > 0
