# class: only_for
# rule: outbound_connectivity
# success: a package brings metadata by which the allowed one requires it, and calls that one
# proof: sink
# needs: packages metadata
# policy: only_for.yaml
import stripe
from attack import SINK, attempt


@attempt
def drive():
    return stripe.charge(SINK)
