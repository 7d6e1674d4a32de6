# class: handler
# rule: read_handler
# success: the source is read by reopening an O_PATH fd
# proof: read
# when: import
import os

from attack import HANDLER, attempt


@attempt
def steal():
    with open("/proc/self/fd/%d" % os.open(HANDLER, os.O_PATH)) as opened:
        return opened.read()
