# act: opens a socket of the kernel's crypto interface
# source: Sigma 474b415a
# when: call
# rule: outbound_connectivity
# asks: kind
# says: alg
# proof: word
# needs: alg
import socket


def act():
    socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close()
