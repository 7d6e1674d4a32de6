import requests
from probe import body, probe


def fetch(destination):
    headers = {"Host": destination["host"]} if "host" in destination else {}
    options = {"method": "GET", "url": destination["url"], "headers": headers, "timeout": 20}
    if "body" in destination:
        options |= {"method": "POST", "data": body(destination)}
    heard = []
    with requests.Session() as session:
        for _ in range(destination.get("times", 1)):
            answer = session.request(**options, allow_redirects="follow" in destination)
            answer.raise_for_status()
            heard.append(answer.text)
    return heard


probe(fetch)
