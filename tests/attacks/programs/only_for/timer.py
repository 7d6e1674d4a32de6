# class: only_for
# rule: outbound_connectivity
# success: a timer's thread calls the allowed package
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import threading

import stripe
import urllib3
from attack import SINK, attempt


@attempt
def timer():
    timer = threading.Timer(0.01, stripe.charge, (SINK,))
    timer.start()
    timer.join()
    return urllib3.dialled
