# class: network
# rule: outbound_connectivity
# success: data goes out with the first packet of a connection, without connect
# proof: sink
# needs: namespace
import socket

from attack import SINK, attempt


@attempt
def send():
    return socket.socket().sendto(b"taken", socket.MSG_FASTOPEN, SINK) == 5
