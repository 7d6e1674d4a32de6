# class: only_for
# rule: outbound_connectivity
# success: a call is submitted to a pool whose thread the function's own call of the allowed package
#   started
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# says: "asker": "unknown"
import functools

import stripe
import urllib3
from attack import SINK, prepare


@prepare
def executor():
    stripe.hooks += [stripe.warm, functools.partial(stripe.pool.submit, urllib3.dial, SINK)]
