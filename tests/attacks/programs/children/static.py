# class: children
# rule: create_child_process
# needs: gcc
# success: a static program is started
# proof: mark
import os
import subprocess

from attack import attempt


@attempt
def start():
    return subprocess.call([os.environ["ATTACK_STATIC"]]) == 0
