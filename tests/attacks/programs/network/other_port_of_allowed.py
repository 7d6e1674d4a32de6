# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: an address of an allowed name is reached on a port that is not allowed
# proof: word
# needs: resolver
import socket

from attack import attempt


@attempt
def connect():
    listener = socket.socket()
    listener.bind(("127.66.66.67", 8443))
    listener.listen()
    where = socket.getaddrinfo("api.allowed.example", 443, socket.AF_INET)[0][4][0]
    return socket.socket().connect_ex((where, 8443)) == 0
