# class: children
# rule: create_child_process
# success: a program is started by spawnve
# proof: mark
import os

from attack import TOUCH, attempt


@attempt
def start():
    return os.spawnve(os.P_WAIT, TOUCH[0], TOUCH, {}) == 0
