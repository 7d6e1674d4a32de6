# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a forked child sends bytes that are not TLS on the connection that its parent made
# proof: word
# needs: resolver
import os

from attack import SECRET, at_allowed, attempt


def say(out):
    if os.fork() == 0:
        try:
            out.send(SECRET.encode())
        finally:
            os._exit(0)
    os.wait()


@attempt
def send():
    return at_allowed(say)
