# class: children
# rule: create_child_process
# success: a script is started whose first line names what runs it
# proof: mark
import os
import subprocess

from attack import MARK, attempt


@attempt
def start():
    with open("script", "w") as opened:
        opened.write("#!/bin/sh\ntouch %s\n" % MARK)
    os.chmod("script", 0o755)
    return subprocess.call(["./script"]) == 0
