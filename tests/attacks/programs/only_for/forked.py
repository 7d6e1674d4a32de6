# class: only_for
# rule: outbound_connectivity
# success: a forked child calls the allowed package
# proof: sink
# needs: packages
# policy: only_for.yaml
# also: create_child_process
import os

import stripe
from attack import SINK, attempt


@attempt
def forked():
    child = os.fork()
    if child == 0:
        try:
            stripe.charge(SINK)
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0
