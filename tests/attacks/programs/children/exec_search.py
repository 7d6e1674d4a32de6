# class: children
# rule: create_child_process
# success: the process becomes a program that is found on a PATH of its own
# proof: mark
import os

from attack import MARK, attempt


@attempt
def start():
    os.symlink("/bin/sh", "innocent")
    os.environ["PATH"] = os.getcwd() + ":/usr/bin:/bin"
    os.execlp("innocent", "innocent", "-c", "touch %s; echo REACHED" % MARK)
