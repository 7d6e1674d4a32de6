# class: network
# rule: outbound_connectivity
# success: a socket to the host of the virtual machine is made
# proof: word
# needs: vsock
import socket

from attack import attempt


@attempt
def make():
    return socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).fileno() > 0
