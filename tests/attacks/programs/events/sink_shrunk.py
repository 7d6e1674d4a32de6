# class: events
# rule: guard_integrity
# success: the event pipe is made as small as possible
# proof: word
import fcntl
import os

from attack import attempt

SET, GET = 1031, 1032


@attempt
def shrink():
    before = fcntl.fcntl(2, GET)
    for fd in (2, os.dup(2), os.open("/dev/stderr", os.O_WRONLY)):
        try:
            fcntl.fcntl(fd, SET, 4096)
        except OSError:
            continue
    return fcntl.fcntl(2, GET) < before
