import asyncio

import aiohttp
from probe import probe


async def get(destination):
    headers = {"Host": destination["host"]} if "host" in destination else {}
    more = {"server_hostname": destination["server_name"]} if "server_name" in destination else {}
    limit = aiohttp.ClientTimeout(total=5)
    async with (
        aiohttp.ClientSession(timeout=limit) as session,
        session.get(destination["url"], headers=headers, **more) as answer,
    ):
        answer.raise_for_status()
        return await answer.text()


probe(lambda destination: asyncio.run(get(destination)))
