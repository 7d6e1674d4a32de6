# class: events
# rule: create_child_process
# needs: log_file
# success: so many different files in /tmp are asked for that no line is left for the event of a
#   program that is started
# proof: mark
import os
import subprocess

from attack import NEW, TOUCH, attempt


@attempt
def run():
    for number in range(700):
        try:
            os.open("%s%d" % (NEW, number), os.O_RDONLY)
        except OSError:
            continue
    return subprocess.run(TOUCH).returncode == 0
