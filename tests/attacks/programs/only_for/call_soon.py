# class: only_for
# rule: outbound_connectivity
# success: a loop in a thread that the allowed package started calls the allowed package back
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import asyncio
import time

import stripe
import urllib3
from attack import SINK, attempt


@attempt
def call_soon():
    loop = asyncio.new_event_loop()
    stripe.pool.submit(loop.run_forever)
    loop.call_soon_threadsafe(stripe.charge, SINK)
    end = time.monotonic() + 3
    while not urllib3.dialled and time.monotonic() < end:
        time.sleep(0.02)
    loop.call_soon_threadsafe(loop.stop)
    return urllib3.dialled
