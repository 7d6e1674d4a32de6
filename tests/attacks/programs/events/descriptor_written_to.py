# class: events
# rule: read_write_tmp
# success: unfinished lines, and lines that look like events, are written to every fd, so that no
#   event tells of a folder made in /tmp
# proof: new
import os

from attack import NEW, attempt

FORGED = (
    b'{"function_shield":true,"event":"violation","forged":true,"policy":"none","ring":"none"}\n'
)


@attempt
def stash():
    for name in os.listdir("/proc/self/fd"):
        if int(name) == 1:
            continue
        try:
            os.write(int(name), FORGED)
            os.write(int(name), b"an unfinished line ")
        except OSError:
            continue
    os.mkdir(NEW)
    return True
