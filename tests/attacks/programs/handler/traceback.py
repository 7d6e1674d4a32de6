# class: handler
# rule: read_handler
# success: the source shows in a traceback, line by line
# proof: read
# quiet: linecache is told that there is no source, which it handles; an honest traceback asks the
#   same
# unreported: an honest traceback asks the same
# when: call
import sys
import traceback

from attack import attempt


@attempt
def steal():
    try:
        sys.modules["main"].explode()
    except ValueError:
        return traceback.format_exc()
