# class: children
# rule: create_child_process
# success: a command line is run by popen
# proof: mark
import os

from attack import MARK, attempt


@attempt
def start():
    return os.popen("touch %s; echo done" % MARK).read() == "done\n"
