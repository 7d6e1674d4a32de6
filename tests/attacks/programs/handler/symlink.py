# class: handler
# rule: read_handler
# success: the source is read through a link
# proof: read
# when: import
import os

from attack import HANDLER, attempt


@attempt
def steal():
    os.symlink(HANDLER, "innocent")
    with open("innocent") as opened:
        return opened.read()
