# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: bytes that are not TLS go to an allowed name's address from a file, by sendfile
# proof: word
# needs: resolver
import os

from attack import SECRET, at_allowed, attempt


def say(out):
    file = os.memfd_create("x")
    os.write(file, SECRET.encode())
    os.sendfile(out.fileno(), file, 0, len(SECRET))


@attempt
def send():
    return at_allowed(say)
