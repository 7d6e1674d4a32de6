# class: children
# rule: create_child_process
# success: a child is forked with a terminal of its own
# proof: mark
import os

from attack import MARK, attempt


@attempt
def start():
    pid, _ = os.forkpty()
    if pid == 0:
        os.close(os.open(MARK, os.O_CREAT | os.O_WRONLY))
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0
