# class: children
# rule: create_child_process
# success: a daemon outlives the process that made it
# proof: mark
import os

from attack import MARK, attempt, wait_for


@attempt
def start():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.close(os.open(MARK, os.O_CREAT | os.O_WRONLY))
        os._exit(0)
    os.wait()
    return wait_for(MARK)
