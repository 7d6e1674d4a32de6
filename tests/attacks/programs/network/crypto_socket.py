# class: network
# rule: outbound_connectivity
# success: an AF_ALG socket is made
# proof: word
# needs: alg
import socket

from attack import attempt


@attempt
def make():
    return socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).fileno() > 0
