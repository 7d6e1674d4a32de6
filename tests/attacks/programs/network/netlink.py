# class: network
# rule: outbound_connectivity
# success: a netlink socket other than for routes is made
# proof: word
import socket

from attack import attempt


@attempt
def make():
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15).fileno() > 0
