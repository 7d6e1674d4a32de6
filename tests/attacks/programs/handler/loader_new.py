# class: handler
# rule: read_handler
# success: the source is read by a loader made for it
# proof: read
# when: import
import importlib.machinery

from attack import HANDLER, attempt


@attempt
def steal():
    return importlib.machinery.SourceFileLoader("other", HANDLER).get_data(HANDLER)
