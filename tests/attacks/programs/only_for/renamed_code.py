# class: only_for
# rule: outbound_connectivity
# success: a function's code is given the file name of the allowed package by _imp
# proof: sink
# needs: packages
# policy: only_for.yaml
import _imp

import stripe
from attack import SINK, attempt

SOURCE = "def dial(address):\n    import urllib3\n    return urllib3.dial(address)"


@attempt
def renamed():
    space = {}
    code = compile(SOURCE, "x", "exec")
    _imp._fix_co_filename(code, stripe.__file__)
    exec(code, space)
    return stripe.in_thread(space["dial"], SINK)
