# class: handler
# rule: read_handler
# success: a dependency reads the handler's source while the handler imports it
# proof: read
# when: import
from attack import HANDLER, attempt


@attempt
def steal():
    with open(HANDLER) as opened:
        return opened.read()
