# class: handler
# rule: read_handler
# success: the source is read through the cache of lines
# proof: read
# when: import
import linecache

from attack import HANDLER, attempt


@attempt
def steal():
    return "".join(linecache.getlines(HANDLER))
