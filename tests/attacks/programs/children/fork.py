# class: children
# rule: create_child_process
# success: a forked child leaves a mark
# proof: mark
import os

from attack import MARK, attempt


@attempt
def start():
    pid = os.fork()
    if pid == 0:
        os.close(os.open(MARK, os.O_CREAT | os.O_WRONLY))
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0
