# class: handler
# rule: read_handler
# success: the source shows in a traceback, line by line
# proof: read
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
