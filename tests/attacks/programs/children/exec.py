# class: children
# rule: create_child_process
# success: the process becomes another program
# proof: mark
import os

from attack import MARK, attempt


@attempt
def start():
    os.execv("/bin/sh", ["sh", "-c", "touch %s; echo REACHED" % MARK])
