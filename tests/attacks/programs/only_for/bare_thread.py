# class: only_for
# rule: outbound_connectivity
# success: a thread is started by _thread, without an object of threading's
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import _thread
import time

import stripe
import urllib3
from attack import SINK, attempt


@attempt
def bare_thread():
    _thread.start_new_thread(stripe.charge, (SINK,))
    end = time.monotonic() + 3
    while not urllib3.dialled and time.monotonic() < end:
        time.sleep(0.02)
    return urllib3.dialled
