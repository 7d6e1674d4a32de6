# class: symbols
# rule: create_child_process guard_integrity
# success: the module beneath subprocess is loaded so that it binds to libc before the guard, and
#   starts a process
# proof: mark
import os
import sys

sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)

from attack import MARK, TOUCH, attempt, wait_for


@attempt
def start():
    from multiprocessing import util

    util.spawnv_passfds(os.fsencode(TOUCH[0]), [os.fsencode(part) for part in TOUCH], [])
    return wait_for(MARK)
