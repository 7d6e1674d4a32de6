# class: network
# rule: outbound_connectivity
# success: a UDP-Lite datagram goes out
# proof: word
import socket

from attack import UDP, attempt


@attempt
def send():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136).sendto(b"taken", UDP) == 5
