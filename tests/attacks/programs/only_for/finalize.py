# class: only_for
# rule: outbound_connectivity
# success: weakref calls what the allowed package requires, when one of its objects goes
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# says: "asker": "unknown"
import functools
import weakref

import stripe
import urllib3
from attack import SINK, prepare


@prepare
def finalize():
    class Thing:
        pass

    stripe.thing = Thing()
    weakref.finalize(stripe.thing, urllib3.dial, SINK)
    stripe.hooks.append(functools.partial(vars(stripe).pop, "thing"))
