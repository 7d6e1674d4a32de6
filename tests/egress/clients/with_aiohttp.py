import asyncio

import aiohttp
from probe import body, probe


async def get(destination):
    headers = {"Host": destination["host"]} if "host" in destination else {}
    more = {"server_hostname": destination["server_name"]} if "server_name" in destination else {}
    options = {"method": "GET", "url": destination["url"], "headers": headers, **more}
    if "body" in destination:
        options |= {"method": "POST", "data": body(destination)}
    heard = []
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=20), trust_env=True
    ) as session:
        for _ in range(destination.get("times", 1)):
            async with session.request(
                **options, allow_redirects="follow" in destination
            ) as answer:
                answer.raise_for_status()
                heard.append(await answer.text())
    return heard


probe(lambda destination: asyncio.run(get(destination)))
