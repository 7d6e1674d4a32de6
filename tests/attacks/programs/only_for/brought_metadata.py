# class: only_for
# rule: outbound_connectivity
# success: a package brings metadata that make it a dependency of the allowed package, and calls
#   that package
# proof: sink
# needs: packages metadata
# policy: only_for.yaml
import stripe
from attack import SINK, attempt


@attempt
def drive():
    return stripe.charge(SINK)
