# class: network
# rule: outbound_connectivity
# success: a connection goes out from an event loop
# proof: sink
import asyncio

from attack import SINK, attempt


async def send():
    _, writer = await asyncio.open_connection(*SINK)
    writer.write(b"taken")
    await writer.drain()
    writer.close()
    return True


@attempt
def connect():
    return asyncio.run(send())
