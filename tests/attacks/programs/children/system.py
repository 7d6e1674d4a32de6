# class: children
# rule: create_child_process
# success: a command line is run by system
# proof: mark
import os

from attack import MARK, attempt


@attempt
def start():
    return os.system("touch " + MARK) == 0
