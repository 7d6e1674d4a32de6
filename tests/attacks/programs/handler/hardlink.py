# class: handler
# rule: read_handler
# success: the source gets a second name and is read by it
# proof: read
# when: import
import os

from attack import HANDLER, attempt


@attempt
def steal():
    os.link(HANDLER, "innocent")
    with open("innocent") as opened:
        return opened.read()
