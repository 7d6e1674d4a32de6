# class: children
# rule: create_child_process
# success: the process becomes another program, with no environment
# proof: mark
import os

from attack import MARK, attempt


@attempt
def start():
    os.execve("/bin/sh", ["sh", "-c", "/usr/bin/touch %s; echo REACHED" % MARK], {})
