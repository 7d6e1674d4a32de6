# class: only_for
# rule: outbound_connectivity
# success: weakref calls a dependency of the allowed package when one of that package's objects dies
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
