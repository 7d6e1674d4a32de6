# class: handler
# rule: read_handler
# success: the source is read by opening the descriptor of an O_PATH open anew
# proof: read
# when: import
import os

from attack import HANDLER, attempt


@attempt
def steal():
    with open("/proc/self/fd/%d" % os.open(HANDLER, os.O_PATH)) as opened:
        return opened.read()
