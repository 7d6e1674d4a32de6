# class: files
# rule: read_write_tmp
# success: a file is made in /tmp through /proc/self/cwd
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.chdir("/")
    with open("/proc/thread-self/cwd" + NEW, "w") as opened:
        return opened.write("kept") == 4
