# class: handler
# rule: read_handler
# success: the source is read by inspect
# proof: read
# quiet: linecache is told that there is no source, which it handles; an honest traceback asks the
#   same
# unreported: an honest traceback asks the same
# when: import
import inspect
import sys

from attack import attempt


@attempt
def steal():
    return inspect.getsource(sys.modules["main"])
