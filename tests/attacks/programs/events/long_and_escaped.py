# class: events
# rule: read_write_tmp
# success: a file is made in /tmp by a name whose escapes make the event's line several times as
#   long
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.mkdir(NEW)
    folder = NEW
    for _ in range(3):
        folder += "/" + "\x01" * 250
        os.mkdir(folder)
    return True
