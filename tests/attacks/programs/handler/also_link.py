# class: handler
# rule: read_handler
# success: a module is read through a link from elsewhere
# proof: read
# when: call
# policy: also.yaml
# handler: imported
import os

from attack import HANDLER, MARK, attempt


@attempt
def steal():
    os.symlink(os.path.dirname(HANDLER), MARK)
    with open(MARK + "/deep.py") as opened:
        return opened.read()
