# class: events
# rule: read_write_tmp
# success: thousands of different names make the guard forget, and a folder is made in /tmp
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    for i in range(3000):
        try:
            os.stat(NEW + str(i))
            os.open(NEW + str(i), os.O_RDONLY)
        except OSError:
            continue
    os.mkdir(NEW)
    return True
