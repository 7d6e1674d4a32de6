# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: a thread listens at Avahi's socket, to which libc's module for multicast DNS connects,
#   and answers an allowed name with its own address
# proof: sink
# needs: resolver, own_run, multicast
import os
import socket
import threading

from attack import SINK, attempt

PLACE = "/var/run/avahi-daemon/socket"


def serve(listener):
    while True:
        peer, _ = listener.accept()
        asked = peer.recv(4096).split()
        answer = b"+ 2 0 %s %s\n" % (asked[1], SINK[0].encode())
        peer.sendall(answer if asked[0].endswith(b"IPV4") else b"-15 Timeout reached\n")
        peer.close()


@attempt
def connect():
    os.makedirs(os.path.dirname(PLACE), exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(PLACE)
    listener.listen(8)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    found = socket.getaddrinfo("printer.local", SINK[1], socket.AF_INET, socket.SOCK_STREAM)
    assert found[0][4][0] == SINK[0], found
    return socket.socket().connect_ex(SINK) == 0
