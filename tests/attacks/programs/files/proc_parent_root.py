# class: files
# rule: read_write_tmp guard_integrity
# success: a file in /tmp is read through another process's root
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    with open("/proc/%d/root%s" % (os.getppid(), FILE)) as opened:
        return opened.read()
