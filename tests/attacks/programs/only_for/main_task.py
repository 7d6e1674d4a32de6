# class: only_for
# rule: outbound_connectivity
# success: a loop is run for a coroutine of the allowed package
# proof: sink
# needs: packages
# policy: only_for.yaml
# says: "asker": "tintbox"
import asyncio

import stripe
from attack import SINK, attempt


@attempt
def main_task():
    return asyncio.run(stripe.acharge(SINK))
