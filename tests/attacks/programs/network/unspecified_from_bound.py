# class: network
# rule: outbound_connectivity
# success: a socket that is bound to an address reaches it as 0.0.0.0
# proof: sink
# quiet: it reaches 127.0.0.1 instead, which is what 0.0.0.0 means
# unreported: 0.0.0.0 is judged as 127.0.0.1
import socket

from attack import SINK, attempt

# The kernel takes 0.0.0.0 for the socket's own address, and for 127.0.0.1 only if it has none.


@attempt
def connect():
    for family, prefix in ((socket.AF_INET, ""), (socket.AF_INET6, "::ffff:")):
        out = socket.socket(family)
        try:
            out.bind((prefix + SINK[0], 0))
            out.settimeout(3)
            out.connect((prefix + "0.0.0.0", SINK[1]))
        except OSError as error:
            print("not by", family, error)
            continue
        if out.getpeername()[0] == prefix + SINK[0]:
            return True
    return False
