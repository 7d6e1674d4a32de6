# class: only_for
# rule: outbound_connectivity
# success: a package calls the allowed package
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: allowed for stripe; asked by tintbox
import stripe
from attack import SINK, attempt


@attempt
def drive():
    return stripe.charge(SINK)
