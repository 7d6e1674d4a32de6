import os
import ssl

import httpx
from probe import body, probe

context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])


def fetch(destination):
    more = {"sni_hostname": destination["server_name"]} if "server_name" in destination else {}
    headers = {"Host": destination["host"]} if "host" in destination else {}
    options = {"method": "GET", "url": destination["url"], "headers": headers, "extensions": more}
    if "body" in destination:
        options |= {"method": "POST", "content": body(destination)}
    heard = []
    with httpx.Client(
        verify=context, timeout=20, follow_redirects="follow" in destination
    ) as client:
        for _ in range(destination.get("times", 1)):
            answer = client.request(**options)
            answer.raise_for_status()
            heard.append(answer.text)
    return heard


probe(fetch)
