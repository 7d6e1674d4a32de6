# class: handler
# rule: read_handler
# success: a module that the handler imports is read
# proof: read
# when: import
# policy: also.yaml
# handler: imported
from attack import HANDLER, attempt


@attempt
def steal():
    with open(HANDLER) as opened:
        return opened.read()
