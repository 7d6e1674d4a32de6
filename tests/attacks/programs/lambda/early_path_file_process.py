# class: lambda
# rule: create_child_process
# success: a .pth file of the function starts a process before the handler is imported
# proof: mark
# when: pth
import subprocess

from attack import TOUCH, attempt


@attempt
def start():
    return subprocess.run(TOUCH).returncode == 0
