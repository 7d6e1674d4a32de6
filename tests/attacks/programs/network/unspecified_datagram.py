# class: network
# rule: outbound_connectivity
# success: a datagram to 0.0.0.0 reaches the address that the socket is bound to, or that it names
# proof: word
# quiet: it goes to 127.0.0.1 instead, which is what 0.0.0.0 means
# unreported: 0.0.0.0 is judged as 127.0.0.1
import socket
import struct

from attack import UDP, attempt, patience

OTHER = UDP[0]
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.bind((OTHER, 0))
peer.settimeout(patience(0.5))
PORT = peer.getsockname()[1]


def bound(prefix):
    out = socket.socket(socket.AF_INET6 if prefix else socket.AF_INET, socket.SOCK_DGRAM)
    out.bind((prefix + OTHER, 0))
    return out, (prefix + "0.0.0.0", PORT)


def by_sendto(prefix):
    out, to = bound(prefix)
    out.sendto(b"sendto", to)


def by_sendmsg(prefix):
    out, to = bound(prefix)
    out.sendmsg([b"sendmsg"], [], 0, to)


def by_connect(prefix):
    out, to = bound(prefix)
    out.connect(to)
    out.send(b"connect")


def by_message(prefix):
    # IP_PKTINFO: the address to send from
    info = struct.pack("i4s4x", 0, socket.inet_aton(OTHER))
    free = socket.socket(socket.AF_INET6 if prefix else socket.AF_INET, socket.SOCK_DGRAM)
    free.sendmsg([b"message"], [(socket.IPPROTO_IP, 8, info)], 0, (prefix + "0.0.0.0", PORT))


@attempt
def send():
    heard = []
    for prefix in ("", "::ffff:"):
        for way in (by_sendto, by_sendmsg, by_connect, by_message):
            try:
                way(prefix)
                heard.append(peer.recv(100))
            except OSError as error:
                print("not by", way.__name__, prefix, error)
    return heard
