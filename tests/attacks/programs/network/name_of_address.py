# class: network
# rule: outbound_connectivity
# success: an address that carries data is turned into a name
# proof: any_query
# needs: resolver
import socket

from attack import attempt


@attempt
def ask():
    return socket.getnameinfo(("203.0.113.77", 443), socket.NI_NAMEREQD)
