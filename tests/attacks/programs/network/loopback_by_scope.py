# class: network
# rule: outbound_connectivity
# success: what is sent to ::1 leaves by the device to whose link the socket is bound
# proof: word
# needs: namespace veth
import socket
import time

import devices
from attack import attempt, patience


def own_address(index):
    """The address that the kernel gives a device for its link."""
    end = time.monotonic() + patience(5)
    while time.monotonic() < end:
        with open("/proc/net/if_inet6") as table:
            for line in table:
                address, number, _, scope, flags, _ = line.split()
                if int(number, 16) == index and scope == "20" and not int(flags, 16) & 0x40:
                    return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(address))
        time.sleep(0.05)
    raise LookupError(index)


@attempt
def send():
    index = devices.make()
    out = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    out.bind((own_address(index), 0, 0, index))

    def bound(data):
        out.sendto(data, ("::1", 9))

    return devices.leaves([bound], patience(5))
