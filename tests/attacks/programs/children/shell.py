# class: children
# rule: create_child_process
# success: a command line is run by a shell
# proof: mark
import subprocess

from attack import MARK, attempt


@attempt
def start():
    return subprocess.check_output("touch %s && echo done" % MARK, shell=True) == b"done\n"
