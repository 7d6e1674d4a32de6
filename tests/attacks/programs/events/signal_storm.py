# class: events
# rule: read_write_tmp
# success: a storm of signals interrupts the event's write, and a folder is made in /tmp
# proof: new
import os
import signal

from attack import NEW, attempt


@attempt
def stash():
    signal.signal(signal.SIGALRM, lambda number, frame: None)
    signal.siginterrupt(signal.SIGALRM, True)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    try:
        for i in range(300):
            try:
                os.mkdir(NEW + str(i))
                return True
            except PermissionError:
                continue
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
