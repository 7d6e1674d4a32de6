# class: network
# rule: outbound_connectivity
# success: an address that carries data is turned into a name by gethostbyaddr
# proof: any_query
# needs: resolver
import socket

from attack import attempt


@attempt
def ask():
    return socket.gethostbyaddr("203.0.113.77")[0] == "host.evil.example"
