# class: no_event
# rule: create_child_process
# success: a process is started by multiprocessing's helper
# proof: mark
import os
from multiprocessing import util

from attack import MARK, TOUCH, attempt, wait_for


@attempt
def start():
    util.spawnv_passfds(os.fsencode(TOUCH[0]), [os.fsencode(part) for part in TOUCH], [])
    return wait_for(MARK)
