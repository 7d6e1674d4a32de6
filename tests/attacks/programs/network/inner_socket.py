# class: network
# rule: outbound_connectivity
# success: a connection goes out by the inner socket type, without blocking
# proof: sink
import _socket
import select

from attack import SINK, attempt


@attempt
def connect():
    out = _socket.socket()
    out.setblocking(False)
    out.connect_ex(SINK)
    return bool(select.select([], [out], [], 3)[1]) and out.send(b"taken") == 5
