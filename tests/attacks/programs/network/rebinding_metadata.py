# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: an allowed name that answers with the metadata service's address opens it
# proof: word
# needs: resolver
import socket

from attack import attempt

METADATA = "169.254.169.254"


@attempt
def connect():
    listener = socket.socket()
    listener.bind((METADATA, 443))
    listener.listen()
    found = socket.getaddrinfo("metadata.wide.example", 443, type=socket.SOCK_STREAM)
    assert found[0][4][0] == METADATA, found
    return socket.socket().connect_ex((METADATA, 443)) == 0
