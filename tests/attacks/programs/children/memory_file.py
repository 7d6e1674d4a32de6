# class: children
# rule: create_child_process
# also: native_code
# success: a program in a memory file is started
# proof: mark
import os

from attack import TOUCH, attempt


@attempt
def start():
    fd = os.memfd_create("innocent", 0)
    with open(TOUCH[0], "rb") as program:
        os.write(fd, program.read())
    return os.spawnv(os.P_WAIT, "/proc/self/fd/%d" % fd, TOUCH) == 0
