# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: a thread listens at nscd's socket, and answers an allowed name with its own address
# proof: sink
# needs: resolver, own_run
import socket

import nscd
from attack import SINK, attempt


@attempt
def connect():
    nscd.listen()
    found = socket.getaddrinfo("api.allowed.example", SINK[1], socket.AF_UNSPEC, socket.SOCK_STREAM)
    assert found[0][4][0] == SINK[0], found
    return socket.socket().connect_ex(SINK) == 0
