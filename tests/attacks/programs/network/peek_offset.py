# class: network
# rule: outbound_connectivity
# success: SO_PEEK_OFF makes a connection show other bytes to a peek than to a read, so that another
#   answer is judged than is received
# proof: word
import socket

from attack import attempt

SO_PEEK_OFF = 42


@attempt
def set_offset():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.bind(("127.0.0.1", 0))
        out.setsockopt(socket.SOL_SOCKET, SO_PEEK_OFF, 4)
        out.sendto(b"shownsaid", out.getsockname())
        return out.recv(5, socket.MSG_PEEK) == b"nsaid"
