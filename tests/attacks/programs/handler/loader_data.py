# class: handler
# rule: read_handler
# success: the source is read by the module's own loader
# proof: read
# when: import
import sys

from attack import HANDLER, attempt


@attempt
def steal():
    return sys.modules["main"].__loader__.get_data(HANDLER)
