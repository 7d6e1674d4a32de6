# class: only_for
# rule: outbound_connectivity
# success: a function of the allowed package has its code replaced
# proof: sink
# needs: packages
# policy: only_for.yaml
import stripe
from attack import SINK, attempt


def steal(address):
    import urllib3

    return urllib3.dial(address)


@attempt
def replaced():
    stripe.warm.__code__ = steal.__code__
    stripe.warm.__defaults__ = (SINK,)
    return stripe.in_thread(stripe.warm)
