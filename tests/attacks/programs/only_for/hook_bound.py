# class: only_for
# rule: outbound_connectivity
# success: the allowed package calls a hook back that is a function which it requires, with its
#   argument bound
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# open: a bound call has no frame that shows who bound it; what connects is what the allowed package
#   requires, from inside of that package
import functools

import stripe
import urllib3
from attack import SINK, prepare


@prepare
def hook():
    stripe.hooks.append(functools.partial(urllib3.dial, SINK))
