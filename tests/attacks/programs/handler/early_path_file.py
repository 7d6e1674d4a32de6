# class: handler
# rule: read_handler
# success: a .pth file of the function reads the source before the handler is imported
# proof: read
# when: pth
# open: the runtime runs .pth files of the function before it imports the handler, and what runs
#   before an import sees all of it: an audit hook gets the source from the event `compile`
from attack import HANDLER, attempt


@attempt
def steal():
    with open(HANDLER) as opened:
        return opened.read()
