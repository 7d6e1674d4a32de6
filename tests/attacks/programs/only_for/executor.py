# class: only_for
# rule: outbound_connectivity
# success: a call is submitted to the pool of the allowed package, whose thread that package started
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import stripe
from attack import SINK, attempt


@attempt
def executor():
    stripe.warm()
    return stripe.pool.submit(stripe.charge, SINK).result()
