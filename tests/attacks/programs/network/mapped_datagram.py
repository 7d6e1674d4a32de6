# class: network
# rule: outbound_connectivity
# success: a datagram goes to an IPv4 address written as IPv6
# proof: udp
import socket

from attack import UDP, attempt


@attempt
def send():
    return (
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(
            b"taken", ("::ffff:127.66.66.66", UDP[1])
        )
        == 5
    )
