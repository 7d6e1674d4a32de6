# class: handler
# rule: read_handler
# success: the source is read by the loader that imported it from an archive
# proof: read
# when: call
# handler: zip
import sys

from attack import HANDLER, attempt


@attempt
def steal():
    return sys.modules["main"].__loader__.get_data(HANDLER + "/main.py")
