# class: only_for
# rule: outbound_connectivity
# success: a thread is started that runs a function of the allowed package, and nothing else
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import threading

import stripe
import urllib3
from attack import SINK, attempt


@attempt
def thread():
    thread = threading.Thread(target=stripe.charge, args=(SINK,))
    thread.start()
    thread.join()
    return urllib3.dialled
