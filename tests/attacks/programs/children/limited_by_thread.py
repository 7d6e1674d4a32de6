# class: children
# rule: guard_integrity
# policy: child-allowed.yaml
# success: a thread limits the process's memory while a child is being started, so that the child's
#   loader has room for libc and none for the guard, and the child makes a file in /tmp
# proof: new
# timeout: 60
import os
import random
import resource
import threading
import time

from attack import NEW, attempt, patience

#: In KiB: the shell and libc need less than this, and the guard alone needs more than they.
LEAST, MOST = 2000, 3000
ALL = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def wait(seconds):
    until = time.perf_counter() + random.random() * seconds
    while time.perf_counter() < until:
        pass


def limit():
    while not over:
        room = random.randrange(LEAST, MOST, 20) * 1024
        wait(0.0006)
        try:
            resource.setrlimit(resource.RLIMIT_AS, (room, resource.RLIM_INFINITY))
        except OSError:
            return
        wait(0.0003)
        resource.setrlimit(resource.RLIMIT_AS, ALL)


over = []


@attempt
def stash():
    thread = threading.Thread(target=limit)
    thread.start()
    end = time.monotonic() + patience(10)
    while thread.is_alive() and time.monotonic() < end and not os.path.lexists(NEW):
        os.system(": 2>/dev/null > '%s'" % NEW)
    over.append(True)
    thread.join()
    return os.path.lexists(NEW)
