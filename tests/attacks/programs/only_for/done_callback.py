# class: only_for
# rule: outbound_connectivity
# success: a future of the allowed package's pool calls the allowed package when it is done
# proof: sink
# needs: packages
# policy: only_for.yaml
import functools
import time

import stripe
import urllib3
from attack import SINK, attempt


@attempt
def done_callback():
    future = stripe.pool.submit(time.sleep, 0.1)
    future.add_done_callback(functools.partial(urllib3.dial, SINK))
    future.result()
    stripe.pool.shutdown()
    return urllib3.dialled
