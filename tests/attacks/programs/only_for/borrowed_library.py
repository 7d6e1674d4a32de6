# class: only_for
# rule: outbound_connectivity
# success: code compiled under the name of a file of the standard library connects in the allowed
#   package's place
# proof: sink
# needs: packages
# policy: only_for.yaml
import threading

import stripe
from attack import SINK, attempt

SOURCE = "def run(call, address):\n    return call(address)"


@attempt
def library():
    space = {}
    exec(compile(SOURCE, threading.__file__, "exec"), space)
    return stripe.call(space["run"], stripe.charge, SINK)
