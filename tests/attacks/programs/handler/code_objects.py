# class: handler
# rule: read_handler
# success: the text of the handler's code is read from memory, where no file is opened
# proof: read
# when: import
# open: code objects are in memory as long as the function runs, and belong to it
import sys

from attack import HANDLER, attempt


@attempt
def steal():
    return repr(
        [code.co_consts for code in (sys._getframe(n).f_code for n in range(2, 12)) if code.co_filename == HANDLER]
    )
