# class: handler
# rule: read_handler
# success: the compiled form of a module is read
# proof: read
# when: call
# policy: also.yaml
# handler: imported
import importlib.util

from attack import HANDLER, attempt


@attempt
def steal():
    with open(importlib.util.cache_from_source(HANDLER), "rb") as opened:
        return opened.read()
