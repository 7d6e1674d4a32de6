# class: handler
# rule: read_handler
# success: the source is renamed and read by the new name
# proof: read
# when: import
import os

from attack import HANDLER, attempt


@attempt
def steal():
    os.rename(HANDLER, "innocent")
    with open("innocent") as opened:
        return opened.read()
