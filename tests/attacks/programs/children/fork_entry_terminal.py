# class: children
# rule: create_child_process
# policy: child-fork.yaml
# success: a program runs on a terminal of its own, where forks are allowed
# proof: mark
import os

from attack import TOUCH, attempt


@attempt
def start():
    pid, _ = os.forkpty()
    if pid == 0:
        try:
            os.execv(TOUCH[0], TOUCH)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
