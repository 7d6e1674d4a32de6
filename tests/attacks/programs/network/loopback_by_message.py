# class: network
# rule: outbound_connectivity
# success: what is sent to 127.0.0.1 leaves by the device that its control message names
# proof: word
# needs: namespace veth
import socket
import struct

import devices
from attack import attempt, patience

SIX = ("::1", 9)


@attempt
def send():
    index = devices.make()
    four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    info, info6 = struct.pack("i8x", index), struct.pack("16si", bytes(16), index)

    def message(data):
        four.sendmsg([data], [(socket.IPPROTO_IP, 8, info)], 0, ("127.0.0.1", 9))  # IP_PKTINFO

    def message_mapped(data):
        six.sendmsg([data], [(socket.IPPROTO_IP, 8, info)], 0, ("::ffff:127.0.0.1", 9))

    def message_six(data):
        six.sendmsg([data], [(socket.IPPROTO_IPV6, 50, info6)], 0, SIX)  # IPV6_PKTINFO

    def message_old(data):
        six.sendmsg([data], [(socket.IPPROTO_IPV6, 2, info6)], 0, SIX)  # IPV6_2292PKTINFO

    return devices.leaves([message, message_mapped, message_six, message_old], patience(5))
