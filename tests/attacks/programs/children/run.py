# class: children
# rule: create_child_process
# success: a program is started by subprocess
# proof: mark
import subprocess

from attack import TOUCH, attempt


@attempt
def start():
    return subprocess.run(TOUCH).returncode == 0
