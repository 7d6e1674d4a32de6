# class: only_for
# rule: outbound_connectivity
# success: a task of asyncio's runs a coroutine of the allowed package
# proof: sink
# needs: packages
# policy: only_for.yaml
import asyncio

import stripe
from attack import SINK, attempt


@attempt
def task():
    async def main():
        return await asyncio.create_task(stripe.acharge(SINK))

    return asyncio.run(main())
