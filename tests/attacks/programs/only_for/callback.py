# class: only_for
# rule: outbound_connectivity
# success: the allowed package calls a callback that connects
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import stripe
import urllib3
from attack import SINK, attempt


@attempt
def callback():
    return stripe.call(lambda: urllib3.dial(SINK))
