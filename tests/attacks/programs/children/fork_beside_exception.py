# class: children
# rule: create_child_process
# policy: child-allowed.yaml
# success: a copy of the function goes on by itself, where only programs are allowed
# proof: mark
import os

from attack import MARK, attempt, wait_for


@attempt
def fork():
    if os.fork() == 0:
        with open(MARK, "w"):
            os._exit(0)
    return wait_for(MARK)
