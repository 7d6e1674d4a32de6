# class: handler
# rule: read_handler
# success: with _HANDLER changed by the function, the source is read
# proof: read
# when: import
import os

from attack import HANDLER, attempt


@attempt
def steal():
    os.environ["_HANDLER"] = "other.handler"
    os.environ["LAMBDA_TASK_ROOT"] = "/nothing"
    with open(HANDLER) as opened:
        return opened.read()
