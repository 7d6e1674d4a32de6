# class: handler
# rule: read_handler
# success: the source is read through the cache of lines
# proof: read
# quiet: linecache is told that there is no source, which it handles; an honest traceback asks the
#   same
# unreported: an honest traceback asks the same
# when: import
import linecache

from attack import HANDLER, attempt


@attempt
def steal():
    return "".join(linecache.getlines(HANDLER))
