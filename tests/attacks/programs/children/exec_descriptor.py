# class: children
# rule: create_child_process
# success: the process becomes a program that it holds open, by its fd
# proof: mark
import os

from attack import MARK, attempt


@attempt
def start():
    fd = os.open("/bin/sh", os.O_RDONLY)
    os.execve(fd, ["sh", "-c", "touch %s; echo REACHED" % MARK], dict(os.environ))
