# class: only_for
# rule: outbound_connectivity
# success: the allowed package calls a hook that connects
# proof: sink
# needs: packages
# policy: only_for.yaml
# when: import
# says: "asker": "tintbox"
import stripe
import urllib3
from attack import SINK, prepare


@prepare
def hook():
    stripe.hooks.append(lambda: urllib3.dial(SINK))
