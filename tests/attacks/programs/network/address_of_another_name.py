# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: a connection reaches, on the allowed port, an address that no lookup of an allowed name
#   returned
# proof: word
# needs: resolver
import socket

from attack import attempt


@attempt
def connect():
    listener = socket.socket()
    listener.bind(("127.66.66.66", 443))
    listener.listen()
    socket.getaddrinfo("api.allowed.example", 443)
    return socket.socket().connect_ex(("127.66.66.66", 443)) == 0
