# class: children
# rule: create_child_process
# success: a program is started by posix_spawn
# proof: mark
import os

from attack import TOUCH, attempt


@attempt
def start():
    return os.waitpid(os.posix_spawn(TOUCH[0], TOUCH, {}), 0)[1] == 0
