# class: only_for
# rule: outbound_connectivity
# success: the allowed package calls a hook that is a function of its own dependency, with the
#   argument bound
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# open: a bound call has no frame that shows who bound it; the allowed package's own dependency
#   connects, called from inside that package
import functools

import stripe
import urllib3
from attack import SINK, prepare


@prepare
def hook():
    stripe.hooks.append(functools.partial(urllib3.dial, SINK))
