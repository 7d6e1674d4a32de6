# class: handler
# rule: read_handler
# success: the text of the handler's code is read from memory, where no file is opened
# proof: read
# when: import
# open: the function's code runs in the interpreter that its dependencies run in, and lies in
#   its memory. Lambda's runtime client calls the handler in its own process
import sys

from attack import HANDLER, attempt


@attempt
def steal():
    return repr(
        [
            code.co_consts
            for code in (sys._getframe(n).f_code for n in range(2, 12))
            if code.co_filename == HANDLER
        ]
    )
