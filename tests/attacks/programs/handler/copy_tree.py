# class: handler
# rule: read_handler
# success: the function's folder is copied, and the copy read
# proof: read
# when: import
import os
import shutil

from attack import HANDLER, attempt


@attempt
def steal():
    shutil.copytree(os.path.dirname(HANDLER), "../copy")
    with open("../copy/main.py") as opened:
        return opened.read()
