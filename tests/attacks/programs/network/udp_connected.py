# class: network
# rule: outbound_connectivity
# success: a connected datagram socket sends
# proof: udp
import os
import socket

from attack import UDP, attempt


@attempt
def send():
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(UDP)
    return os.write(out.fileno(), b"taken") == 5
