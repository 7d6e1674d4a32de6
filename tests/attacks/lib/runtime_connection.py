"""The connection of a runtime client, which is a thread of its own. Needs gcc: lib/client.c."""

import os
import select
import stat
import time

from attack import patience


def sockets():
    found = set()
    for fd in range(3, 128):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                found.add(fd)
        except OSError:
            pass
    return found


def start(**options):
    """Start the client. Return the fd of the socket that it makes."""
    before = sockets()
    os.environ.update(options)
    try:
        import runtime_client  # noqa: F401
    except (ImportError, SystemError):
        pass
    end = time.monotonic() + patience(3)
    while time.monotonic() < end:
        made = sockets() - before
        if made:
            return made.pop()
    raise TimeoutError("the client has made no socket")


def answered(fd):
    """Wait for the answer of the Runtime API. Until the client has connected, its socket has hung
    up."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    end = time.monotonic() + patience(3)
    while time.monotonic() < end and not any(found & select.POLLIN for _, found in poll.poll(10)):
        time.sleep(0.001)
    return fd
