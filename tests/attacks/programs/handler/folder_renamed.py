# class: handler
# rule: read_handler
# success: the function's folder is renamed, and the source read in it
# proof: read
# when: import
import os

from attack import HANDLER, attempt


@attempt
def steal():
    folder = os.path.dirname(HANDLER)
    os.rename(folder, folder + "-other")
    with open(folder + "-other/main.py") as opened:
        return opened.read()
