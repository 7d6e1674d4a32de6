# class: network
# rule: outbound_connectivity
# success: what is sent to 127.0.0.1 leaves by the device that an option of the socket names
# proof: word
# needs: namespace veth
import socket
import struct

import devices
from attack import attempt, patience

SIX = ("::1", 9)


def out(level, option, value, to=("127.0.0.1", 9)):
    made = socket.socket(socket.AF_INET6 if ":" in to[0] else socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(level, option, value)
    return lambda data: made.sendto(data, to)


@attempt
def send():
    index = devices.make()
    big = struct.pack("!i", index)
    sticky = struct.pack("16si", bytes(16), index)

    def by_name(data):
        out(socket.SOL_SOCKET, 25, devices.NAME)(data)  # SO_BINDTODEVICE

    def by_index(data):
        out(socket.SOL_SOCKET, 62, struct.pack("i", index))(data)  # SO_BINDTOIFINDEX

    def unicast(data):
        out(socket.IPPROTO_IP, 50, big)(data)  # IP_UNICAST_IF

    def unicast_six(data):
        out(socket.IPPROTO_IPV6, 76, big, SIX)(data)  # IPV6_UNICAST_IF

    def sticky_six(data):
        out(socket.IPPROTO_IPV6, 50, sticky, SIX)(data)  # IPV6_PKTINFO

    return devices.leaves([by_name, by_index, unicast, unicast_six, sticky_six], patience(5))
