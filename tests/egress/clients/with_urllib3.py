import functools
import os

import urllib3
from probe import body, probe


def fetch(destination):
    more = {}
    if "server_name" in destination:
        more = {
            "server_hostname": destination["server_name"],
            "assert_hostname": destination["server_name"],
        }
    headers = {"Host": destination["host"]} if "host" in destination else {}
    options = {"method": "GET", "url": destination["url"], "headers": headers}
    if "body" in destination:
        options |= {"method": "POST", "body": body(destination)}
    heard = []
    make = urllib3.PoolManager
    if "HTTPS_PROXY" in os.environ:
        make = functools.partial(urllib3.ProxyManager, os.environ["HTTPS_PROXY"])
    with make(retries=False, timeout=20, **more) as pool:
        for _ in range(destination.get("times", 1)):
            answer = pool.request(**options)
            if answer.status != 200:
                raise ValueError(answer.status)
            heard.append(answer.data.decode())
    return heard


probe(fetch)
