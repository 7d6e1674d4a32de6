# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a datagram, as of QUIC, goes to an allowed name's address on the TLS port
# proof: word
# needs: resolver
import socket

from attack import SECRET, attempt, patience


@attempt
def send():
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.66.66.67", 443))
    sink.settimeout(patience(1))
    socket.getaddrinfo("api.allowed.example", 443)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(("127.66.66.67", 443))
    out.send(SECRET.encode())
    return sink.recv(100)
