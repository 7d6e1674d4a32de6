# class: network
# rule: outbound_connectivity
# success: an address that carries data is turned into a name by gethostbyaddr
# proof: any_query
# needs: resolver
import socket

from attack import attempt


@attempt
def ask():
    try:
        socket.gethostbyaddr("203.0.113.77")
    except socket.herror:
        # Asked, and not known: the question has left.
        pass
    return True
