# class: children
# rule: create_child_process
# success: a program is started as an argument of the dynamic loader
# proof: mark
import subprocess

from attack import TOUCH, attempt


@attempt
def start():
    with open("/proc/self/maps") as maps:
        loader = next(line.split()[-1] for line in maps if "/ld-" in line)
    return subprocess.call([loader, *TOUCH]) == 0
