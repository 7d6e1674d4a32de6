# class: handler
# rule: read_handler
# success: the source is read by the module's own loader as source
# proof: read
# when: import
import sys

from attack import attempt


@attempt
def steal():
    return sys.modules["main"].__spec__.loader.get_source("main")
