# class: handler
# rule: read_handler
# success: a .pth file of the function reads the source before the handler is imported
# proof: read
# when: pth
# open: what runs before the handler's import, as a function's own .pth file does, reads what the import will read
from attack import HANDLER, attempt


@attempt
def steal():
    with open(HANDLER) as opened:
        return opened.read()
