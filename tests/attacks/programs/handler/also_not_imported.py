# class: handler
# rule: read_handler
# success: a module of the function's that nothing has imported yet is read
# proof: read
# when: import
# policy: also.yaml
# handler: imported
from attack import HANDLER, attempt


@attempt
def steal():
    with open(HANDLER.replace("deep", "later")) as opened:
        return opened.read()
