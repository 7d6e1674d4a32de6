# class: handler
# rule: read_handler
# success: the source is read by inspect
# proof: read
# when: import
import inspect
import sys

from attack import attempt


@attempt
def steal():
    return inspect.getsource(sys.modules["main"])
