# class: handler
# rule: read_handler
# success: the source is moved away, and another file put in its place, before it is read
# proof: read
# when: import
import os

from attack import HANDLER, attempt


@attempt
def steal():
    os.rename(HANDLER, "moved")
    with open(HANDLER, "w") as opened:
        opened.write("nothing")
    with open("moved") as opened:
        return opened.read()
