# class: network
# rule: outbound_connectivity
# success: a datagram goes out from an event loop
# proof: udp
import asyncio

from attack import UDP, attempt


class Errors(asyncio.DatagramProtocol):
    error = None

    def error_received(self, error):
        self.error = error


async def send():
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        Errors, local_addr=("0.0.0.0", 0)
    )
    transport.sendto(b"taken", UDP)
    await asyncio.sleep(0.1)
    transport.close()
    return protocol.error is None


@attempt
def connect():
    return asyncio.run(send())
