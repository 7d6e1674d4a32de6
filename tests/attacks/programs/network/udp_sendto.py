# class: network
# rule: outbound_connectivity
# success: a datagram goes out
# proof: udp
import socket

from attack import UDP, attempt


@attempt
def send():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"taken", UDP) == 5
