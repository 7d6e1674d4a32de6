# class: files
# rule: read_write_tmp
# success: a file in /tmp is read by reopening an O_PATH fd
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    fd = os.open(FILE, os.O_PATH)
    with open("/proc/self/fd/%d" % fd) as opened:
        return opened.read()
