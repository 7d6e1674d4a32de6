import requests
from probe import probe


def fetch(destination):
    headers = {"Host": destination["host"]} if "host" in destination else {}
    answer = requests.get(destination["url"], headers=headers, timeout=5)
    answer.raise_for_status()
    return answer.text


probe(fetch)
