# class: network
# rule: outbound_connectivity
# success: a UDP-Lite socket is made by the interpreter's inner module, and used on loopback
# proof: word
import _socket

from attack import attempt


@attempt
def send():
    made = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM, 136)
    made.bind(("127.0.0.1", 0))
    return made.sendto(b"taken", made.getsockname()) == 5
