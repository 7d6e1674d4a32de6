# class: network
# rule: outbound_connectivity
# success: an MPTCP socket is made, whose kernel connects to any address that the other side names
# proof: word
# needs: mptcp
import socket

from attack import attempt


@attempt
def make():
    return socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 262)
