# class: handler
# rule: read_handler
# success: the compiled form is read
# proof: read
# when: import
# handler: compiled
import glob
import os

from attack import HANDLER, attempt


@attempt
def steal():
    found = glob.glob(os.path.join(os.path.dirname(HANDLER), "__pycache__", "main.*.pyc"))
    with open(found[0], "rb") as opened:
        return opened.read()
