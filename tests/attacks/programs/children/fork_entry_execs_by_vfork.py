# class: children
# rule: create_child_process
# policy: child-fork.yaml
# success: a program is started without an audit event, where forks are allowed
# proof: mark
import multiprocessing.util
import os

from attack import TOUCH, attempt


@attempt
def start():
    path, *rest = (os.fsencode(word) for word in TOUCH)
    pid = multiprocessing.util.spawnv_passfds(path, [path, *rest], [])
    return os.waitpid(pid, 0)[1] == 0
