import urllib3
from probe import probe


def fetch(destination):
    more = {}
    if "server_name" in destination:
        more = {"server_hostname": destination["server_name"], "assert_hostname": destination["server_name"]}
    headers = {"Host": destination["host"]} if "host" in destination else {}
    with urllib3.PoolManager(retries=False, timeout=5, **more) as pool:
        answer = pool.request("GET", destination["url"], headers=headers)
    if answer.status != 200:
        raise ValueError(answer.status)
    return answer.data.decode()


probe(fetch)
