import os
import ssl

import httpx
from probe import probe

context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])


def fetch(destination):
    more = {"sni_hostname": destination["server_name"]} if "server_name" in destination else {}
    headers = {"Host": destination["host"]} if "host" in destination else {}
    with httpx.Client(verify=context, timeout=5) as client:
        answer = client.get(destination["url"], headers=headers, extensions=more)
    answer.raise_for_status()
    return answer.text


probe(fetch)
