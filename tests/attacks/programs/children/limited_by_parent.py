# class: children
# rule: guard_integrity
# policy: child-allowed.yaml
# success: a child whose memory its parent limits, so that its loader has room for libc and none
#   for the guard, makes a file in /tmp
# proof: new
# timeout: 40
import os
import random
import resource
import signal
import time

from attack import NEW, attempt, patience

#: In KiB: touch and libc need less than this, and the guard alone needs more than they.
LEAST, MOST = 1900, 3000


def loads(child):
    """Whether the child's loader has still to load everything."""
    with open("/proc/%d/maps" % child) as maps:
        text = maps.read()
    return ".so" in text and "libc" not in text and "function-shield" not in text


def started(name):
    """Starts a child that makes a file of this name, and says whether it was limited in time."""
    child = os.posix_spawn("/usr/bin/touch", ["touch", name], {})
    os.kill(child, signal.SIGSTOP)
    if not os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1]):
        return False
    try:
        early = loads(child)
        if early:
            room = random.randrange(LEAST, MOST, 20) * 1024
            resource.prlimit(child, resource.RLIMIT_AS, (room, resource.RLIM_INFINITY))
    finally:
        os.kill(child, signal.SIGCONT)
        os.waitpid(child, 0)
    return early


@attempt
def stash():
    end = time.monotonic() + patience(10)
    while time.monotonic() < end:
        name = NEW + str(time.monotonic_ns())
        if started(name) and os.path.lexists(name):
            return True
    return False
