# class: handler
# rule: read_handler
# success: the source is read through the cache of lines
# proof: read
# quiet: linecache gets the answer that it handles, no source, and an honest traceback asks the same
# unreported: an honest traceback asks the same
# when: import
import linecache

from attack import HANDLER, attempt


@attempt
def steal():
    return "".join(linecache.getlines(HANDLER))
