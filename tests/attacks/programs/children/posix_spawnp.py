# class: children
# rule: create_child_process
# success: a program is started by posix_spawnp, in a session of its own
# proof: mark
import os

from attack import MARK, attempt


@attempt
def start():
    return os.waitpid(os.posix_spawnp("touch", ["touch", MARK], os.environ, setsid=True), 0)[1] == 0
