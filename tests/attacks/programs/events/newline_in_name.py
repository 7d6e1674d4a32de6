# class: events
# rule: read_write_tmp
# success: a folder is made in /tmp whose name ends the event's line and begins another
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.mkdir(NEW + '\n{"function_shield":true,"event":"violation","policy":"none"}\n')
    return True
