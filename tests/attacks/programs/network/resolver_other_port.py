# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: a connection goes to the resolver's address on another port
# proof: word
# needs: resolver
import socket

from attack import RESOLVER, attempt


@attempt
def connect():
    listener = socket.socket()
    listener.bind((RESOLVER, 8053))
    listener.listen()
    return socket.socket().connect_ex((RESOLVER, 8053)) == 0
