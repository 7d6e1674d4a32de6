# class: handler
# rule: read_handler
# success: a dependency reads the handler's source when the handler is called
# proof: read
# when: call
from attack import HANDLER, attempt


@attempt
def steal():
    with open(HANDLER) as opened:
        return opened.read()
