# class: network
# rule: outbound_connectivity
# success: a socket of a family that no function needs is made
# proof: word
# needs: alg
import socket

from attack import attempt


@attempt
def make():
    return socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).fileno() > 0
