# class: switch_off
# rule: create_child_process
# success: the guard's modules are removed from sys.modules, and a process is started
# proof: mark
import os
import sys

from attack import MARK, TOUCH, attempt, wait_for

try:
    import function_shield  # noqa: F401
except ImportError:
    pass


@attempt
def start():
    for name in ("function_shield", "sitecustomize"):
        sys.modules.pop(name, None)
        sys.modules[name] = None
    os.spawnv(os.P_NOWAIT, TOUCH[0], TOUCH)
    return wait_for(MARK)
