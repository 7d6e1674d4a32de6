# class: handler
# rule: read_handler
# success: the handler's text is read from its compiled form, which lies below PYTHONPYCACHEPREFIX
# proof: read
# when: call
# handler: compiled_elsewhere
import importlib.util
import sys

from attack import HANDLER, attempt


@attempt
def steal():
    path, sys.pycache_prefix = importlib.util.cache_from_source(HANDLER), None
    with open(path, "rb") as opened:
        return opened.read()
