# class: children
# rule: guard_integrity
# policy: child-fork.yaml
# success: a child writes to the memory of its parent, where forks are allowed
# proof: word
import os

from attack import attempt


@attempt
def write():
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(os.open("/proc/%d/mem" % parent, os.O_RDWR))
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
